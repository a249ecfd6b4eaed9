/**
 * The messages between a client and the committer: bytes, the same over every transport. A message carries what one client
 * asks for together: keys, small values and references; larger values are in data files before it is sent.
 *
 * All numbers are unsigned LEB128; a text or key is its length in bytes and the bytes (texts: UTF-8).
 * Batch: `1`, client (16 bytes), seq of the first request (the others follow it), since, a count, and per request: flags (1
 * atomic, 2 message, 4 author), [message], [author], expectations, mutations. Reply: `1`, then `0`, a count and per request its
 * outcome, or `1` and a failure of all. An outcome is `0` and a receipt, or `1` and a failure: a code and a text.
 * @module
 */
import { MAX_BOUND_BYTES } from "../commit/requests.ts";
import type { CommitReceipt, Expectation, Mutation } from "../contract.ts";
import { isOcdbtError, OcdbtError, type OcdbtErrorCode } from "../errors.ts";
import { BodyReader } from "../format/body-reader.ts";
import { BodyWriter } from "../format/body-writer.ts";
import { bytesToPath, MAX_KEY_BYTES, printablePath, staysInside } from "../format/byte-path.ts";
import { MAX_INLINE_VALUE_BYTES } from "../format/index.ts";
import type { IndirectReference } from "../format/types.ts";
import { CLIENT_BYTES, clientIdFromBytes, clientIdToBytes } from "./request-id.ts";

/** Longest message either side takes. A million references fit. */
export const MAX_MESSAGE_BYTES: number = 256 * 1024 * 1024;
/** Longest message text, author or generation, bytes. */
const MAX_TEXT_BYTES = 65_536;
const PROTOCOL = 1;

const FLAG_ATOMIC = 1;
const FLAG_MESSAGE = 2;
const FLAG_AUTHOR = 4;

const PUT_BYTES = 0;
const PUT_REFERENCE = 1;
const DELETE = 2;
const DELETE_RANGE = 3;

/** One commit of a batch. */
export interface BatchedCommit {
  readonly atomic: boolean;
  readonly message?: string;
  readonly author?: string;
  readonly expects: readonly Expectation[];
  readonly mutations: readonly Mutation[];
}

/** What a client asks for together; they are committed in this order. */
export interface Batch {
  readonly client: string;
  /** Of the first request; the others follow it. All lower numbers of this client are settled. */
  readonly seq: bigint;
  /** A version there was before this was first sent: its requests are in no version up to it. */
  readonly since: bigint;
  readonly requests: readonly BatchedCommit[];
}

/** `failed`: an error that is none of this package, such as one of the store. */
export interface Failure {
  readonly code: OcdbtErrorCode | "failed";
  readonly message: string;
}

export type Outcome = { readonly receipt: CommitReceipt } | { readonly error: Failure };

/** Per request its outcome, or why none was looked at. */
export type BatchReply = { readonly outcomes: readonly Outcome[] } | { readonly error: Failure };

export function encodeBatch({ client, seq, since, requests }: Batch): Uint8Array {
  const out = new BodyWriter(256 + requests.length * 128);
  out.u8(PROTOCOL);
  out.bytes(clientIdToBytes(client));
  out.varint64(seq);
  out.varint64(since);
  out.varint(requests.length);
  for (const request of requests) writeRequest(out, request);
  if (out.length > MAX_MESSAGE_BYTES) {
    throw new OcdbtError(
      "too-large",
      `${requests.length} commits take ${out.length} bytes as a message, more than ${MAX_MESSAGE_BYTES}; commit without the ` +
        "coordinator, or in parts",
      { fields: { bytes: out.length, limit: MAX_MESSAGE_BYTES } },
    );
  }
  return out.finish();
}

/** @throws OcdbtError `corrupt` */
export function decodeBatch(bytes: Uint8Array): Batch {
  const reader = new BodyReader(bytes, "request to the coordinator");
  checkProtocol(reader);
  const client = clientIdFromBytes(reader.take(CLIENT_BYTES, "client"));
  const seq = reader.u64("seq");
  const since = reader.u64("since");
  const requests = Array.from({ length: reader.count("requests", 3) }, () => readRequest(reader));
  reader.expectEnd();
  if (seq + BigInt(requests.length) >= 1n << 64n) throw reader.corrupt(`from ${seq} on, the numbers run over`);
  return { client, seq, since, requests };
}

export function encodeReply(reply: BatchReply): Uint8Array {
  const out = new BodyWriter(256);
  out.u8(PROTOCOL);
  if ("error" in reply) {
    out.u8(1);
    writeFailure(out, reply.error);
    return out.finish();
  }
  out.u8(0);
  out.varint(reply.outcomes.length);
  for (const outcome of reply.outcomes) {
    out.u8("error" in outcome ? 1 : 0);
    if ("error" in outcome) writeFailure(out, outcome.error);
    else writeReceipt(out, outcome.receipt);
  }
  return out.finish();
}

/** @throws OcdbtError `corrupt` */
export function decodeReply(bytes: Uint8Array): BatchReply {
  const reader = new BodyReader(bytes, "reply of the coordinator");
  checkProtocol(reader);
  let reply: BatchReply;
  if (reader.u8("status") !== 0) reply = { error: readFailure(reader) };
  else {
    const readOutcome = (): Outcome =>
      reader.u8("outcome") === 0 ? { receipt: readReceipt(reader) } : { error: readFailure(reader) };
    reply = { outcomes: Array.from({ length: reader.count("outcomes", 3) }, readOutcome) };
  }
  reader.expectEnd();
  return reply;
}

/** An error as its code and message, never a stack. */
export function failureOf(error: unknown): Failure {
  if (isOcdbtError(error)) return { code: error.code, message: error.message };
  return { code: "failed", message: error instanceof Error ? error.message : String(error) };
}

function checkProtocol(reader: BodyReader): void {
  if (reader.bytes.length > MAX_MESSAGE_BYTES) {
    throw reader.corrupt(`${reader.bytes.length} bytes are more than ${MAX_MESSAGE_BYTES}`);
  }
  const protocol = reader.u8("protocol");
  if (protocol !== PROTOCOL) throw reader.corrupt(`protocol is ${protocol}, only ${PROTOCOL} is known`);
}

function writeRequest(out: BodyWriter, { atomic, message, author, expects, mutations }: BatchedCommit): void {
  out.u8(
    (atomic ? FLAG_ATOMIC : 0) | (message === undefined ? 0 : FLAG_MESSAGE) | (author === undefined ? 0 : FLAG_AUTHOR),
  );
  if (message !== undefined) writeText(out, message);
  if (author !== undefined) writeText(out, author);
  out.varint(expects.length);
  for (const expectation of expects) writeExpectation(out, expectation);
  out.varint(mutations.length);
  for (const mutation of mutations) writeMutation(out, mutation);
}

function readRequest(reader: BodyReader): BatchedCommit {
  const flags = reader.u8("flags");
  const message = flags & FLAG_MESSAGE ? readText(reader, "message") : undefined;
  const author = flags & FLAG_AUTHOR ? readText(reader, "author") : undefined;
  return {
    atomic: (flags & FLAG_ATOMIC) !== 0,
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    expects: Array.from({ length: reader.count("expectations", 3) }, () => readExpectation(reader)),
    mutations: Array.from({ length: reader.count("mutations", 3) }, () => readMutation(reader)),
  };
}

function writeReceipt(out: BodyWriter, { head, applied, generations }: CommitReceipt): void {
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
}

function readReceipt(reader: BodyReader): CommitReceipt {
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
  return { head, applied, generations };
}

function writeFailure(out: BodyWriter, { code, message }: Failure): void {
  writeText(out, code);
  writeText(out, message.slice(0, 8192));
}

function readFailure(reader: BodyReader): Failure {
  return { code: readText(reader, "code") as Failure["code"], message: readText(reader, "message") };
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
  const start = readKey(reader, MAX_BOUND_BYTES);
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
  const key = readKey(reader, op === DELETE_RANGE ? MAX_BOUND_BYTES : MAX_KEY_BYTES);
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
  const path = basePath + relativePath;
  if (path.length > MAX_KEY_BYTES) throw reader.corrupt(`a path has ${path.length} bytes, more than ${MAX_KEY_BYTES}`);
  if (!staysInside(path)) throw reader.corrupt(`the path ${printablePath(path)} leads out of the database`);
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
  return reader.u8("end") === 0 ? {} : { end: readKey(reader, MAX_BOUND_BYTES) };
}

function writeBytes(out: BodyWriter, bytes: Uint8Array): void {
  out.varint(bytes.length);
  out.bytes(bytes);
}

function readKey(reader: BodyReader, limit: number = MAX_KEY_BYTES): Uint8Array {
  const length = reader.count("key length", 1);
  if (length > limit) throw reader.corrupt(`a key, bound or path has ${length} bytes, more than ${limit}`);
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
