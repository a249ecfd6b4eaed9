/**
 * Reading one file: its state and its bytes by one descriptor, so that a rename in between does no harm.
 *
 * A request costs some 30 µs of going to Node's thread pool and back, in which the kernel copies 128 KiB. So what is asked of one file in the
 * same turn of the event loop is read together: one look at its name, and one request for ranges that lie near one another.
 * @module
 */
import { readv } from "node:fs";
import { checkByteRange, resolveByteRange } from "../byte-range.ts";
import { mergeSpans, type Span } from "../coalesce/merge-ranges.ts";
import type { AnyReadOptions, ReadResult } from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { readAll } from "./disk.ts";
import { acquireFile, type OpenFile, releaseFile } from "./open-files.ts";

type Answer = ReadResult | "unchanged" | undefined;

/** Largest hole between two ranges that are read together. */
const maxGapBytes = 64 << 10;
/** Largest request that ranges are merged into, so that the pool's threads share the work. */
const maxMergedBytes = 1 << 20;
/** Ranges of a request; the system takes 1024 buffers, and every other one is a hole. */
const maxParts = 500;
/** Takes what lies in holes. Several requests may write to it at once; nobody reads it. */
const hole = new Uint8Array(maxGapBytes);

/** One caller of {@link readFileValue}. */
interface Asked {
  readonly options: AnyReadOptions;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** What is asked in this turn, by path. */
const gathering = new Map<string, Asked[]>();

/** Allocates exactly the bytes asked for; the length comes from the file system. */
export function readFileValue(path: Buffer, options: AnyReadOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked: Asked = { options, resolve, reject };
    // Whole values are small, or few; and whether one has changed is told at once.
    if (options.range === undefined) {
      void answerAll(path, [asked]);
      return;
    }
    const name = path.toString("latin1");
    const batch = gathering.get(name);
    if (batch !== undefined) {
      batch.push(asked);
      return;
    }
    const own = [asked];
    gathering.set(name, own);
    // After everything that can go on at once, and before anything is waited for.
    process.nextTick(() => {
      gathering.delete(name);
      void answerAll(path, own);
    });
  });
}

/** Never rejects: whoever asked is told. */
async function answerAll(path: Buffer, batch: readonly Asked[]): Promise<void> {
  try {
    const file = await acquireFile(path);
    if (file === undefined) {
      for (const { resolve } of batch) resolve(undefined);
      return;
    }
    try {
      const parts: Part[] = [];
      for (const asked of batch) {
        const part = partOf(file, asked);
        if (part !== undefined) parts.push(part);
      }
      await Promise.all(requestsFor(parts).map((request) => read(file, path, request)));
    } finally {
      releaseFile(file);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

/** What one caller waits for. */
interface Part extends Span {
  readonly asked: Asked;
  readonly answer: ReadResult;
}

/** `undefined` when the answer needs no bytes. */
function partOf({ generation, stats }: OpenFile, asked: Asked): Part | undefined {
  const { options, resolve, reject } = asked;
  try {
    options.signal?.throwIfAborted();
    if (options.range !== undefined) checkByteRange(options.range);
    if (generation === options.ifNotGeneration) {
      resolve("unchanged");
      return undefined;
    }
    const size = Number(stats.size);
    const { start, end } = resolveByteRange(options.range, size);
    const answer = { value: new Uint8Array(end - start), generation, size };
    if (end > start) return { start, end, asked, answer };
    resolve(answer);
  } catch (error) {
    reject(error);
  }
  return undefined;
}

/** Ranges that are read by one request each, in order and apart from one another. */
function requestsFor(parts: readonly Part[]): Part[][] {
  if (parts.length < 2) return parts.map((part) => [part]);
  return mergeSpans(parts, maxGapBytes, maxMergedBytes).flatMap(({ parts: near }) => apart(near));
}

/** Ranges that overlap are parted: no request can fill two buffers with the same bytes. */
function apart(parts: readonly Part[]): Part[][] {
  const requests: Part[][] = [];
  let request: Part[] | undefined;
  for (const part of parts) {
    if (request === undefined || request.at(-1)!.end > part.start || request.length === maxParts) {
      request = [];
      requests.push(request);
    }
    request.push(part);
  }
  return requests;
}

async function read(file: OpenFile, path: Buffer, parts: readonly Part[]): Promise<void> {
  if (parts.length > 1 && (await fill(file.descriptor, parts))) {
    for (const { asked, answer } of parts) asked.resolve(answer);
    return;
  }
  await Promise.all(parts.map((part) => readAlone(file, path, part)));
}

async function readAlone({ descriptor, stats }: OpenFile, path: Buffer, part: Part): Promise<void> {
  const { start, asked, answer } = part;
  const { value } = answer;
  try {
    if ((await readAll(descriptor, value, start, asked.options.signal)) < value.length) {
      throw new KvStoreError(
        "corrupt",
        `${path.toString()} shrank from ${stats.size} bytes while it was read in place`,
      );
    }
    asked.resolve(answer);
  } catch (error) {
    asked.reject(error);
  }
}

/** Whether one request filled all; if not, each is asked for alone, and whose bytes are gone is told so. */
function fill(descriptor: number, parts: readonly Part[]): Promise<boolean> {
  const buffers: Uint8Array[] = [];
  const { start } = parts[0]!;
  let end = start;
  for (const part of parts) {
    if (part.start > end) buffers.push(hole.subarray(0, part.start - end));
    buffers.push(part.answer.value);
    end = part.end;
  }
  return new Promise((resolve) => {
    readv(descriptor, buffers, start, (error, bytesRead) => resolve(error === null && bytesRead === end - start));
  });
}
