/**
 * Reading one file: its state and its bytes by one descriptor, so that a rename in between does no harm.
 * @module
 */
import { resolveByteRange } from "../byte-range.ts";
import type { AnyReadOptions, ReadResult } from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { readAll } from "./disk.ts";
import { acquireFile, releaseFile } from "./open-files.ts";

/** Allocates exactly the bytes asked for; the length comes from the file system. */
export async function readFileValue(
  path: Buffer,
  options: AnyReadOptions,
): Promise<ReadResult | "unchanged" | undefined> {
  const file = await acquireFile(path);
  if (file === undefined) return undefined;
  try {
    const { generation } = file;
    if (generation === options.ifNotGeneration) return "unchanged";
    const size = Number(file.stats.size);
    const { start, end } = resolveByteRange(options.range, size);
    const value = new Uint8Array(end - start);
    if ((await readAll(file.descriptor, value, start, options.signal)) < value.length) {
      throw new KvStoreError("corrupt", `${path.toString()} shrank from ${size} bytes while it was read in place`);
    }
    return { value, generation, size };
  } finally {
    releaseFile(file);
  }
}
