/**
 * Which requests a version holds, written in its data file right behind its root node, so that the record is durable and
 * visible exactly when the version is: whoever commits after a committer died can tell what that one had done. To
 * everybody else these bytes are between nodes, where data files may hold anything.
 *
 * Layout: the magic `pcgcommt`, the length of the body (u32 LE), its CRC-32C (u32 LE), the body: a count, then per request
 * client (16 bytes), seq, the number of its mutations (LEB128 all), and a bit a mutation for "applied".
 * @module
 */
import { crc32c } from "@pcg/codecs/crc32c";
import { BodyReader } from "../format/body-reader.ts";
import { BodyWriter } from "../format/body-writer.ts";
import { CLIENT_BYTES, clientIdFromBytes, clientIdToBytes, type RequestId } from "./request-id.ts";

const MAGIC = new TextEncoder().encode("pcgcommt");
/** Bytes before the body. */
export const RECORD_HEADER_BYTES: number = MAGIC.length + 8;
/** Longest body that is read. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** A request and, mutation by mutation, what became of it. */
export interface CommittedRequest {
  readonly id: RequestId;
  readonly applied: readonly boolean[];
}

export function encodeCommitRecord(requests: readonly CommittedRequest[]): Uint8Array {
  const body = new BodyWriter(64 + requests.length * 32);
  body.varint(requests.length);
  for (const { id, applied } of requests) {
    body.bytes(clientIdToBytes(id.client));
    body.varint64(id.seq);
    body.varint(applied.length);
    for (let i = 0; i < applied.length; i += 8) {
      let bits = 0;
      for (let j = 0; j < 8; j++) if (applied[i + j] === true) bits |= 1 << j;
      body.u8(bits);
    }
  }
  const out = new BodyWriter(RECORD_HEADER_BYTES + body.length);
  out.bytes(MAGIC);
  out.u32Fixed(body.length);
  out.u32Fixed(crc32c(body.finish()));
  out.bytes(body.finish());
  return out.finish();
}

/** Length of the body that follows this header; `undefined`: these bytes are something else. */
export function recordBodyLength(header: Uint8Array): number | undefined {
  if (header.length < RECORD_HEADER_BYTES) return undefined;
  for (let i = 0; i < MAGIC.length; i++) if (header[i] !== MAGIC[i]) return undefined;
  const length = new DataView(header.buffer, header.byteOffset).getUint32(MAGIC.length, true);
  return length > MAX_BODY_BYTES ? undefined : length;
}

/** @param bytes a record from its first byte; more may follow. @returns `undefined` unless it is whole and its checksum holds */
export function decodeCommitRecord(bytes: Uint8Array): CommittedRequest[] | undefined {
  const length = recordBodyLength(bytes);
  if (length === undefined || bytes.length < RECORD_HEADER_BYTES + length) return undefined;
  const body = bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length);
  const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length + 4, true);
  if (crc32c(body) !== checksum) return undefined;
  const reader = new BodyReader(body, "record of a commit");
  const count = reader.count("requests", CLIENT_BYTES + 2);
  const requests: CommittedRequest[] = [];
  for (let i = 0; i < count; i++) {
    const client = clientIdFromBytes(reader.take(CLIENT_BYTES, "client"));
    const seq = reader.u64("seq");
    const mutations = reader.u64("mutations");
    if (mutations > BigInt(reader.remaining) * 8n) throw reader.corrupt(`${mutations} mutations do not fit`);
    const bits = reader.take(Math.ceil(Number(mutations) / 8), "applied");
    const applied = Array.from({ length: Number(mutations) }, (_, j) => ((bits[j >> 3]! >> (j & 7)) & 1) === 1);
    requests.push({ id: { client, seq }, applied });
  }
  reader.expectEnd();
  return requests;
}
