import { memoryKvStore } from "@pcg/kvstore";
import { beforeEach, expect, test } from "vitest";
import { type Box, createVolumeIn, type Scale, streamBoxes, streamLabels } from "../src/index.ts";

const boxes: Box[] = Array.from({ length: 8 }, (_, i) => ({ begin: [0, 0, i], end: [4, 4, i + 1] }));

let scale: Scale;
let now: number;
let most: number;
let started: number;

beforeEach(async () => {
  const scales = [{ size: [4, 4, 8], resolution: [1, 1, 1], chunkSize: [4, 4, 1] }] as const;
  const volume = await createVolumeIn(memoryKvStore(), "zarr3", { kind: "image", dataType: "uint8", scales });
  const whole = { begin: [0, 0, 0], end: [4, 4, 8] } as const;
  await volume.scales[0]!.write(
    whole,
    Uint8Array.from({ length: 128 }, (_, i) => i),
  );
  const inner = volume.scales[0]!;
  now = most = started = 0;
  const counted = async <Data>(read: Promise<Data>): Promise<Data> => {
    started++;
    most = Math.max(most, ++now);
    try {
      return await read;
    } finally {
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    }
  };
  scale = Object.create(inner, {
    dataType: { value: inner.dataType },
    channels: { value: 1 },
    read: { value: (...args: Parameters<Scale["read"]>) => counted(inner.read(...args)) },
    readLabels: { value: (...args: Parameters<Scale["readLabels"]>) => counted(inner.readLabels(...args)) },
  });
});

test("boxes come in order, with their voxels", async () => {
  const seen: Box[] = [];
  for await (const { box, data } of streamBoxes(scale, boxes)) {
    expect(data).toEqual(Uint8Array.from({ length: 16 }, (_, i) => 16 * box.begin[2] + i));
    seen.push(box);
  }
  expect(seen).toEqual(boxes);
  expect(most).toBe(3);
});

test("labels come as labels", async () => {
  for await (const { box, data } of streamLabels(scale, boxes)) {
    expect(data).toEqual(Uint32Array.from({ length: 16 }, (_, i) => 16 * box.begin[2] + i));
  }
});

test("no boxes are an empty stream", async () => {
  for await (const _ of streamBoxes(scale, [])) expect.unreachable();
});

test.each([
  [{ prefetch: 0 }, 1],
  [{ prefetch: 100 }, 8],
  [{ prefetch: 100, maxBytes: 40 }, 2],
  [{ prefetch: 100, maxBytes: 1 }, 1],
])("%j reads at most %i boxes at once", async (options, expected) => {
  for await (const _ of streamBoxes(scale, boxes, options)) await new Promise((resolve) => setImmediate(resolve));
  expect(most).toBe(expected);
  expect(started).toBe(8);
});

test("stopping early leaves nothing under way and starts nothing more", async () => {
  for await (const { box } of streamBoxes(scale, boxes, { prefetch: 2 })) if (box === boxes[1]) break;
  expect(now).toBe(0);
  expect(started).toBe(4);
});

test("a box that fails throws when its turn comes, after those before it", async () => {
  const outside: Box = { begin: [0, 0, 8], end: [4, 4, 9] };
  const seen: Box[] = [];
  const consume = async (): Promise<void> => {
    for await (const { box } of streamBoxes(scale, [boxes[0]!, boxes[1]!, outside, boxes[2]!])) seen.push(box);
  };
  await expect(consume()).rejects.toThrow(RangeError);
  expect(seen).toEqual([boxes[0], boxes[1]]);
  expect(now).toBe(0);
});

test("an aborted stream throws the signal's reason", async () => {
  const stop = new AbortController();
  const consume = async (): Promise<void> => {
    for await (const { box } of streamBoxes(scale, boxes, { signal: stop.signal })) {
      if (box === boxes[2]) stop.abort(new Error("enough"));
    }
  };
  await expect(consume()).rejects.toThrow("enough");
});
