/**
 * The messages between a client and the committer: bytes, the same over every transport. A request carries keys, small
 * values and references; larger values are in data files before it is sent.
 *
 * All numbers are unsigned LEB128; a string or key is its length in bytes and the bytes (strings: UTF-8).
 * Request: `1`, client (16 bytes), seq, since, flags (1 atomic, 2 sent before, 4 message, 8 author), acknowledged,
 * [message], [author], expectations, mutations. Reply: `1`, then `0` and a receipt, or `1`, a code and a message.
 * @module
 */
import type { CommitReceipt, Expectation, Mutation } from "../contract.ts";
import { isOcdbtError, OcdbtError, type OcdbtErrorCode } from "../errors.ts";
import { BodyReader } from "../format/body-reader.ts";
import { BodyWriter } from "../format/body-writer.ts";
import { bytesToPath, MAX_KEY_BYTES } from "../format/byte-path.ts";
import { MAX_INLINE_VALUE_BYTES } from "../format/index.ts";
import type { IndirectReference } from "../format/types.ts";
import { CLIENT_BYTES, clientIdFromBytes, clientIdToBytes, type RequestId } from "./request-id.ts";

/** Longest message either side takes. A million references fit. */
export const MAX_MESSAGE_BYTES: number = 256 * 1024 * 1024;
/** Longest message text, author or generation, bytes. */
const MAX_TEXT_BYTES = 65_536;
const PROTOCOL = 1;

const FLAG_ATOMIC = 1;
const FLAG_SENT_BEFORE = 2;
const FLAG_MESSAGE = 4;
const FLAG_AUTHOR = 8;

const PUT_BYTES = 0;
const PUT_REFERENCE = 1;
const DELETE = 2;
const DELETE_RANGE = 3;

export interface CommitRequest {
  readonly id: RequestId;
  /** The newest generation the client knew when it first sent this: the request is in no version up to it. */
  readonly since: bigint;
  /** Whether an answer may have been lost: then look before doing. */
  readonly sentBefore: boolean;
  /** Every number of this client below it has been answered. */
  readonly acknowledged: bigint;
  readonly atomic: boolean;
  readonly message?: string;
  readonly author?: string;
  readonly expects: readonly Expectation[];
  readonly mutations: readonly Mutation[];
}

export type CommitReply =
  | { readonly receipt: CommitReceipt }
  | { readonly error: { readonly code: OcdbtErrorCode | "failed"; readonly message: string } };

export function encodeRequest(request: CommitRequest): Uint8Array {
  const out = new BodyWriter(256 + request.mutations.length * 64);
  out.u8(PROTOCOL);
  out.bytes(clientIdToBytes(request.id.client));
  out.varint64(request.id.seq);
  out.varint64(request.since);
  out.u8(
    (request.atomic ? FLAG_ATOMIC : 0) |
      (request.sentBefore ? FLAG_SENT_BEFORE : 0) |
      (request.message === undefined ? 0 : FLAG_MESSAGE) |
      (request.author === undefined ? 0 : FLAG_AUTHOR),
  );
  out.varint64(request.acknowledged);
  if (request.message !== undefined) writeText(out, request.message);
  if (request.author !== undefined) writeText(out, request.author);
  out.varint(request.expects.length);
  for (const expectation of request.expects) writeExpectation(out, expectation);
  out.varint(request.mutations.length);
  for (const mutation of request.mutations) writeMutation(out, mutation);
  if (out.length > MAX_MESSAGE_BYTES) {
    throw new OcdbtError(
      "too-large",
      `a commit of ${request.mutations.length} mutations takes ${out.length} bytes as a message, more than ` +
        `${MAX_MESSAGE_BYTES}; commit without the coordinator, or in parts`,
      { fields: { bytes: out.length, limit: MAX_MESSAGE_BYTES } },
    );
  }
  return out.finish();
}

/** @throws OcdbtError `corrupt` */
export function decodeRequest(bytes: Uint8Array): CommitRequest {
  const reader = new BodyReader(bytes, "request to the coordinator");
  checkProtocol(reader);
  const client = clientIdFromBytes(reader.take(CLIENT_BYTES, "client"));
  const id = { client, seq: reader.u64("seq") };
  const since = reader.u64("since");
  const flags = reader.u8("flags");
  const acknowledged = reader.u64("acknowledged");
  const message = flags & FLAG_MESSAGE ? readText(reader, "message") : undefined;
  const author = flags & FLAG_AUTHOR ? readText(reader, "author") : undefined;
  const expects = Array.from({ length: reader.count("expectations", 3) }, () => readExpectation(reader));
  const mutations = Array.from({ length: reader.count("mutations", 3) }, () => readMutation(reader));
  reader.expectEnd();
  return {
    id,
    since,
    sentBefore: (flags & FLAG_SENT_BEFORE) !== 0,
    acknowledged,
    atomic: (flags & FLAG_ATOMIC) !== 0,
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    expects,
    mutations,
  };
}

export function encodeReply(reply: CommitReply): Uint8Array {
  const out = new BodyWriter(256);
  out.u8(PROTOCOL);
  if ("error" in reply) {
    out.u8(1);
    writeText(out, reply.error.code);
    writeText(out, reply.error.message.slice(0, 8192));
    return out.finish();
  }
  const { head, applied, generations } = reply.receipt;
  out.u8(0);
  out.u8(head === undefined ? 0 : 1);
  if (head !== undefined) {
    out.varint64(head.generation);
    out.u64Fixed(head.commitTime);
  }
  out.varint(applied.length);
  applied.forEach((was, i) => {
    out.u8(was ? 1 : 0);
    writeGeneration(out, generations[i]!);
  });
  return out.finish();
}

/** @throws OcdbtError `corrupt` */
export function decodeReply(bytes: Uint8Array): CommitReply {
  const reader = new BodyReader(bytes, "reply of the coordinator");
  checkProtocol(reader);
  if (reader.u8("status") !== 0) {
    const code = readText(reader, "code") as OcdbtErrorCode | "failed";
    const message = readText(reader, "message");
    reader.expectEnd();
    return { error: { code, message } };
  }
  const head =
    reader.u8("head") === 0
      ? undefined
      : { generation: reader.u64("generation"), commitTime: reader.u64Fixed("commit time") };
  const count = reader.count("results", 2);
  const applied: boolean[] = [];
  const generations: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    applied.push(reader.u8("applied") !== 0);
    generations.push(readGeneration(reader));
  }
  reader.expectEnd();
  return { receipt: { head, applied, generations } };
}

/** A failure as a reply: its code and message, never a stack. */
export function errorReply(error: unknown): CommitReply {
  if (isOcdbtError(error)) return { error: { code: error.code, message: error.message } };
  return { error: { code: "failed", message: error instanceof Error ? error.message : String(error) } };
}

function checkProtocol(reader: BodyReader): void {
  if (reader.bytes.length > MAX_MESSAGE_BYTES) {
    throw reader.corrupt(`${reader.bytes.length} bytes are more than ${MAX_MESSAGE_BYTES}`);
  }
  const protocol = reader.u8("protocol");
  if (protocol !== PROTOCOL) throw reader.corrupt(`protocol is ${protocol}, only ${PROTOCOL} is known`);
}

function writeExpectation(out: BodyWriter, expectation: Expectation): void {
  if ("key" in expectation) {
    out.u8(0);
    writeBytes(out, expectation.key);
    writeGeneration(out, expectation.generation);
    return;
  }
  out.u8(1);
  out.varint64(expectation.since);
  writeBytes(out, expectation.start);
  writeEnd(out, expectation.end);
}

function readExpectation(reader: BodyReader): Expectation {
  if (reader.u8("expectation") === 0) return { key: readKey(reader), generation: readGeneration(reader) };
  const since = reader.u64("since");
  const start = readKey(reader);
  return { since, start, ...readEnd(reader) };
}

function writeMutation(out: BodyWriter, mutation: Mutation): void {
  switch (mutation.op) {
    case "put": {
      const { value } = mutation;
      const isBytes = value instanceof Uint8Array;
      out.u8(isBytes ? PUT_BYTES : PUT_REFERENCE);
      writeBytes(out, mutation.key);
      writeCondition(out, mutation.ifGeneration);
      if (isBytes) writeBytes(out, value);
      else writeReference(out, value);
      return;
    }
    case "delete":
      out.u8(DELETE);
      writeBytes(out, mutation.key);
      writeCondition(out, mutation.ifGeneration);
      return;
    case "deleteRange":
      out.u8(DELETE_RANGE);
      writeBytes(out, mutation.start);
      writeEnd(out, mutation.end);
  }
}

function readMutation(reader: BodyReader): Mutation {
  const op = reader.u8("operation");
  const key = readKey(reader);
  switch (op) {
    case PUT_BYTES: {
      const condition = readCondition(reader);
      const length = reader.count("value length", 1);
      if (length > MAX_INLINE_VALUE_BYTES) {
        throw reader.corrupt(`a value of ${length} bytes travels inline, more than ${MAX_INLINE_VALUE_BYTES}`);
      }
      return { op: "put", key, value: reader.take(length, "value"), ...condition };
    }
    case PUT_REFERENCE: {
      const condition = readCondition(reader);
      return { op: "put", key, value: readReference(reader), ...condition };
    }
    case DELETE:
      return { op: "delete", key, ...readCondition(reader) };
    case DELETE_RANGE:
      return { op: "deleteRange", start: key, ...readEnd(reader) };
    default:
      throw reader.corrupt(`operation is ${op}, expected 0 to 3`);
  }
}

function writeReference(out: BodyWriter, { file, offset, length }: IndirectReference): void {
  out.varint(file.basePath.length);
  out.path(file.basePath);
  out.varint(file.relativePath.length);
  out.path(file.relativePath);
  out.varint(offset);
  out.varint(length);
}

function readReference(reader: BodyReader): IndirectReference {
  const basePath = bytesToPath(readKey(reader));
  const relativePath = bytesToPath(readKey(reader));
  const offset = readSize(reader, "offset");
  return { file: { basePath, relativePath }, offset, length: readSize(reader, "length") };
}

function readSize(reader: BodyReader, field: string): number {
  const value = reader.u64(field);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.unsafe(field, value);
  return Number(value);
}

function writeCondition(out: BodyWriter, condition: string | null | undefined): void {
  out.u8(condition === undefined ? 0 : 1);
  if (condition !== undefined) writeGeneration(out, condition);
}

function readCondition(reader: BodyReader): { readonly ifGeneration?: string | null } {
  return reader.u8("condition") === 0 ? {} : { ifGeneration: readGeneration(reader) };
}

function writeGeneration(out: BodyWriter, generation: string | null): void {
  out.u8(generation === null ? 0 : 1);
  if (generation !== null) writeText(out, generation);
}

function readGeneration(reader: BodyReader): string | null {
  return reader.u8("generation") === 0 ? null : readText(reader, "generation");
}

function writeEnd(out: BodyWriter, end: Uint8Array | undefined): void {
  out.u8(end === undefined ? 0 : 1);
  if (end !== undefined) writeBytes(out, end);
}

function readEnd(reader: BodyReader): { readonly end?: Uint8Array } {
  return reader.u8("end") === 0 ? {} : { end: readKey(reader) };
}

function writeBytes(out: BodyWriter, bytes: Uint8Array): void {
  out.varint(bytes.length);
  out.bytes(bytes);
}

function readKey(reader: BodyReader): Uint8Array {
  const length = reader.count("key length", 1);
  if (length > MAX_KEY_BYTES) throw reader.corrupt(`a key or path has ${length} bytes, more than ${MAX_KEY_BYTES}`);
  return reader.take(length, "key");
}

function writeText(out: BodyWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new OcdbtError("too-large", `a text of ${bytes.length} bytes is longer than ${MAX_TEXT_BYTES}`, {
      fields: { bytes: bytes.length, limit: MAX_TEXT_BYTES },
    });
  }
  writeBytes(out, bytes);
}

function readText(reader: BodyReader, field: string): string {
  const length = reader.count(field, 1);
  if (length > MAX_TEXT_BYTES) throw reader.corrupt(`${field} has ${length} bytes, more than ${MAX_TEXT_BYTES}`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(reader.take(length, field));
  } catch {
    throw reader.corrupt(`${field} is not UTF-8`);
  }
}
