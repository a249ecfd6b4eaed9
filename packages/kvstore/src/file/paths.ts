/**
 * Keys as paths under the root, and the names the store keeps for itself.
 *
 * A key is a relative path of segments between slashes; its bytes are the bytes of the path, so that on Linux every byte
 * but NUL can be used.
 * @module
 */
import { randomFillSync } from "node:crypto";
import { KvStoreError } from "../errors.ts";
import { printKey } from "../keys.ts";

/** End of the names of lock files and unfinished values, the same as TensorStore's: no key, hidden from lists. */
export const reservedSuffix = ".__lock";

const slash = 0x2f;
const dot = 0x2e;
const suffixBytes = Buffer.from(reservedSuffix);
const slashBytes = Buffer.from("/");
/** Longest file name of every common file system. */
const maxNameBytes = 255;
const maxSegmentBytes = maxNameBytes - suffixBytes.length;

/** Throws `bad-key` unless the key can be a file: no empty, `.` or `..` segment, no NUL, no reserved or overlong name. */
export function checkKey(key: Uint8Array, url: string): void {
  let start = 0;
  for (let i = 0; i <= key.length; i++) {
    if (i < key.length && key[i] === 0) throw badKey(key, url, "holds a NUL byte");
    if (i < key.length && key[i] !== slash) continue;
    const length = i - start;
    if (length === 0) throw badKey(key, url, "is empty or has an empty segment");
    if (key[start] === dot && (length === 1 || (length === 2 && key[start + 1] === dot))) {
      throw badKey(key, url, 'has a "." or ".." segment');
    }
    if (length > maxSegmentBytes) throw badKey(key, url, `has a segment of ${length} bytes, limit ${maxSegmentBytes}`);
    if (isReserved(key.subarray(start, i))) throw badKey(key, url, `has a segment ending in ${reservedSuffix}`);
    start = i + 1;
  }
}

/** Whether a file name is one the store keeps for itself. */
export function isReserved(name: Uint8Array): boolean {
  const at = name.length - suffixBytes.length;
  return at >= 0 && suffixBytes.equals(name.subarray(at));
}

/** `folder` + `/` + `name`. */
export function childPath(folder: Buffer, name: Uint8Array): Buffer {
  return folder.length === 1 && folder[0] === slash
    ? Buffer.concat([folder, name])
    : Buffer.concat([folder, slashBytes, name]);
}

/** The folder a path is in. */
export function parentPath(path: Buffer): Buffer {
  const at = path.lastIndexOf(slash);
  return at <= 0 ? path.subarray(0, 1) : path.subarray(0, at);
}

/** The lock file that guards a path. */
export function lockPath(path: Buffer): Buffer {
  return Buffer.concat([path, suffixBytes]);
}

/** A fresh name beside `path` for a value being written: its own name leads, so far as it fits. */
export function temporaryPath(path: Buffer): Buffer {
  const folder = parentPath(path);
  const end = Buffer.from(`_${randomHex()}${reservedSuffix}`);
  const name = path.subarray(path.lastIndexOf(slash) + 1);
  const fits = name.length + end.length <= maxNameBytes;
  return childPath(folder, fits ? Buffer.concat([name, end]) : end);
}

/** Asking the system for randomness takes longer than all else that naming does, so it is asked for many names at once. */
const randomness = Buffer.alloc(2048);
let used = randomness.length;

function randomHex(): string {
  if (used === randomness.length) {
    randomFillSync(randomness);
    used = 0;
  }
  used += 8;
  return randomness.toString("hex", used - 8, used);
}

function badKey(key: Uint8Array, url: string, reason: string): KvStoreError {
  return new KvStoreError("bad-key", `key ${printKey(key)} cannot be a file of ${url}: it ${reason}`, {
    url,
    key: printKey(key),
  });
}
