import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GraphSettings, Operation, SupervoxelEdges } from "../src/contract.ts";
import { isGraphError } from "../src/errors.ts";
import { IdLayout } from "../src/ids.ts";
import * as rows from "../src/rows/index.ts";
import { decodeSettings, encodeSettings } from "../src/settings.ts";

const layout = new IdLayout(6, 10);

/** Distinct edges whose smaller id is in `chunk`, in any order and orientation. */
function randomEdges(random: Random, ids: IdLayout, chunk: bigint, count: number): SupervoxelEdges {
  const [x, y, z] = ids.coordsOf(chunk);
  const chunks = [
    chunk,
    ids.chunkId(1, [x + 1, y, z]),
    ids.chunkId(1, [x, y, z + 1]),
    ids.chunkId(1, [x + 3, y + 1, z]),
  ];
  const limit = ids.segmentLimit(1);
  const segment = (): bigint => 1n + (random.below(4) ? BigInt(random.below(50)) % limit : random.uint64() % limit);
  const seen = new Map<string, readonly [bigint, bigint]>();
  for (let e = 0; e < count; e++) {
    const [a, b] = [ids.nodeId(chunk, segment()), ids.nodeId(random.pick(chunks), segment())];
    if (a !== b) seen.set(a < b ? `${a} ${b}` : `${b} ${a}`, [a, b]);
  }
  const pairs = [...seen.values()];
  const areas = BigUint64Array.from(pairs, () => (random.below(9) ? BigInt(random.below(300)) : random.uint64()));
  return {
    pairs: BigUint64Array.from(pairs.flat()),
    affinities: Float32Array.from(pairs, (_, e) =>
      random.pick([Number.POSITIVE_INFINITY, rows.USER_AFFINITY, Number(areas[e]), 0.25, -0, random.uint32() / 7]),
    ),
    areas,
    active: Uint8Array.from(pairs, () => random.below(2)),
  };
}

/** Edges as text, smaller id first, sorted. */
function listed(edges: SupervoxelEdges): string[] {
  return Array.from(edges.affinities, (affinity, e) => {
    const [a, b] = [edges.pairs[2 * e]!, edges.pairs[2 * e + 1]!];
    const sign = Object.is(affinity, -0) ? "-" : "";
    return `${a < b ? `${a} ${b}` : `${b} ${a}`} ${sign}${affinity} ${edges.areas[e]} ${edges.active[e]}`;
  }).sort();
}

describe("edge blocks", () => {
  test("every edge comes back, whatever the layout, and equal sets give equal bytes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.integer({ min: 3, max: 17 }), fc.nat(120), (seed, bits, count) => {
        const random = new Random(seed);
        const ids = new IdLayout(4, bits);
        const chunk = ids.chunkId(1, [0, 2, 1]);
        const edges = randomEdges(random, ids, chunk, count);
        const bytes = rows.encodeEdges(ids, chunk, edges);
        const back = rows.decodeEdges(ids, chunk, bytes);
        expect(listed(back)).toEqual(listed(edges));
        expect(rows.encodeEdges(ids, chunk, back)).toEqual(bytes);
      }),
    );
  });

  test("a contact whose affinity is its area takes five bytes or less", () => {
    const chunk = layout.chunkId(1, [1, 2, 3]);
    const count = 1000;
    const pairs = new BigUint64Array(2 * count);
    for (let e = 0; e < count; e++) {
      pairs[2 * e] = chunk + BigInt(1 + (e >> 3));
      pairs[2 * e + 1] = chunk + BigInt(1000 + (e & 7) * 9);
    }
    const affinities = new Float32Array(count).fill(77);
    const areas = new BigUint64Array(count).fill(77n);
    const bytes = rows.encodeEdges(layout, chunk, { pairs, affinities, areas, active: new Uint8Array(count) });
    expect(bytes.length).toBeLessThan(5 * count);
  });

  test("edges of another chunk, edges given twice, NaN and uneven arrays are refused", () => {
    const chunk = layout.chunkId(1, [1, 0, 0]);
    const other = layout.chunkId(1, [0, 0, 0]);
    const one = (...ids: bigint[]): SupervoxelEdges => ({
      pairs: BigUint64Array.from(ids),
      affinities: new Float32Array(ids.length / 2).fill(1),
      areas: new BigUint64Array(ids.length / 2),
      active: new Uint8Array(ids.length / 2),
    });
    const [a, b] = [chunk + 1n, chunk + 2n];
    expect(() => rows.encodeEdges(layout, chunk, one(a, other + 1n))).toThrow("does not belong to chunk");
    expect(() => rows.encodeEdges(layout, chunk, one(a, b, b, a))).toThrow("is given twice");
    expect(() => rows.encodeEdges(layout, chunk, { ...one(a, b), affinities: Float32Array.of(Number.NaN) })).toThrow(
      "NaN",
    );
    expect(() => rows.encodeEdges(layout, chunk, { ...one(a, b), active: new Uint8Array(2) })).toThrow("got 2, 1, 2");
  });

  test("damaged blocks give an error or edges, never a crash or a huge allocation", () => {
    const chunk = layout.chunkId(1, [1, 2, 3]);
    const good = rows.encodeEdges(layout, chunk, randomEdges(new Random(1), layout, chunk, 60));
    const attempt = (bytes: Uint8Array): void => {
      try {
        const { affinities } = rows.decodeEdges(layout, chunk, bytes);
        expect(affinities.length).toBeLessThanOrEqual(bytes.length / 4);
      } catch (error) {
        expect(isGraphError(error, "corrupt-row")).toBe(true);
      }
    };
    for (let length = 0; length < good.length; length++)
      expect(() => rows.decodeEdges(layout, chunk, good.subarray(0, length))).toThrow("damaged");
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bytes = good.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      attempt(bytes);
    }
    attempt(Uint8Array.of(1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1));
    attempt(Uint8Array.of(1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attempt(Uint8Array.of(1, ...bytes))));
  });

  test("an edge edit keeps its kind, affinity and area; its column the pair", () => {
    const edit = { kind: "add", affinity: rows.USER_AFFINITY, area: 2n ** 64n - 1n } as const;
    expect(rows.decodeEdgeEdit(rows.encodeEdgeEdit(edit))).toEqual(edit);
    expect(rows.readEditColumn(rows.editColumn(3n, 1n << 60n).qualifier)).toEqual([3n, 1n << 60n]);
    expect(() => rows.decodeEdgeEdit(Uint8Array.of(9))).toThrow("unknown kind 9");
    expect(() => rows.readEditColumn(new Uint8Array(3))).toThrow("not 16");
  });
});

describe("keys", () => {
  test("keys sort as their ids do, one by one and in bulk", () => {
    const ids = BigUint64Array.of(1n, 255n, 256n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n);
    const keys = rows.nodeKeys(ids);
    for (let i = 0; i < ids.length; i++) {
      expect(keys[i]).toEqual(rows.nodeKey(ids[i]!));
      expect(rows.idOfKey(keys[i]!)).toBe(ids[i]);
      if (i > 0) expect(Buffer.compare(keys[i - 1]!, keys[i]!)).toBe(-1);
    }
  });

  test("the range of a chunk holds its nodes and no others, also when it is the last there is", () => {
    const chunk = layout.chunkId(2, [1, 2, 3]);
    const { start, end } = rows.nodeRange(chunk, layout.lastOf(chunk));
    const inside = (id: bigint): boolean =>
      Buffer.compare(rows.nodeKey(id), start) >= 0 && Buffer.compare(rows.nodeKey(id), end!) < 0;
    expect(inside(chunk + 1n)).toBe(true);
    expect(inside(layout.lastOf(chunk))).toBe(true);
    expect(inside(chunk)).toBe(false);
    expect(inside(layout.lastOf(chunk) + 1n)).toBe(false);
    expect(rows.idRange(rows.KIND.node, 1n, 2n ** 64n - 1n).end).toEqual(rows.allNodes().end);
  });

  test("the timeline sorts by time, then operation", () => {
    const [a, b, c] = [rows.timelineKey(5n, 9n), rows.timelineKey(6n, 1n), rows.timelineKey(6n, 2n)];
    expect([Buffer.compare(a, b), Buffer.compare(b, c)]).toEqual([-1, -1]);
    expect(rows.readTimelineKey(c)).toEqual({ time: 6n, operation: 2n });
    const { start, end } = rows.timelineRange(6n, 7n);
    expect([Buffer.compare(a, start), Buffer.compare(b, start), Buffer.compare(c, end!)]).toEqual([-1, 1, -1]);
  });
});

describe("values", () => {
  const settings: GraphSettings = {
    version: 1,
    name: "fly_v31",
    chunkSize: [256, 256, 32],
    voxelOffset: [-5, 100, 0],
    size: [1000, 1000, 100],
    resolution: [8, 8, 33.5],
    layers: 4,
    spatialBits: 10,
    connectivity: 26,
    splitDisconnected: false,
    source: "precomputed://x",
    ingestTime: 1_700_000_000_000_001n,
  };

  test("settings come back as they were", () => {
    expect(decodeSettings(encodeSettings(settings))).toEqual(settings);
  });

  test("settings that cannot work are refused with the key, the value and the limit", () => {
    const refused = (change: Partial<Record<keyof GraphSettings, unknown>>): string => {
      try {
        encodeSettings({ ...settings, ...change } as GraphSettings);
      } catch (error) {
        if (isGraphError(error, "bad-settings")) return error.message;
        throw error;
      }
      return "accepted";
    };
    expect(refused({ layers: 3 })).toContain("need 4 layers, not 3");
    expect(refused({ spatialBits: 30 })).toContain("spatialBits must be an integer from 2");
    expect(refused({ chunkSize: [0, 1, 1] })).toContain("chunkSize.0");
    expect(refused({ chunkSize: [2048, 2048, 1024] })).toContain("more than 2^31 voxels");
    expect(refused({ size: [1.5, 1, 1] })).toContain("size.0");
    expect(refused({ resolution: [8, 8, Number.NaN] })).toContain("resolution.2");
    expect(refused({ connectivity: 18 })).toContain("connectivity");
    expect(refused({ name: "a/b" })).toContain("name");
    expect(refused({ ingestTime: 0n })).toContain("ingestTime");
    expect(refused({ ingestTime: 2n ** 53n })).toContain("not below 2^53");
    expect(refused({ extra: 1 } as never)).toContain("extra");
    expect(() => decodeSettings(new TextEncoder().encode('{"version":2}'))).toThrow("layout version 2");
    expect(() => decodeSettings(Uint8Array.of(0xff))).toThrow("does not hold JSON");
  });

  test("an operation of the log comes back complete", () => {
    const operation: Operation = {
      id: 7n,
      kind: "merge",
      status: "refused",
      user: "ann 🐙",
      time: 2n ** 60n + 1n,
      refusal: { code: "too-far", message: "5 chunks" },
      picks: [{ id: 2n ** 63n + 1n, position: [1.5, -2, 3e6] }],
      supervoxels: BigUint64Array.of(1n, 2n ** 64n - 1n),
      addedEdges: new BigUint64Array(),
      oldRoots: BigUint64Array.of(4n),
      newRoots: new BigUint64Array(),
      oldL2: new BigUint64Array(),
      newL2: new BigUint64Array(),
    };
    expect(rows.decodeOperation(rows.encodeOperation(operation))).toEqual(operation);
    expect(() => rows.decodeOperation(rows.packJson({ id: "7" }))).toThrow("incomplete");
    expect(() => rows.decodeOperation(Uint8Array.of(1))).toThrow("does not hold JSON");
  });

  test("damaged values give an error that says so, or a value, never anything else", () => {
    const operation: Operation = {
      id: 7n,
      kind: "merge",
      status: "done",
      user: "ann",
      time: 5n,
      picks: [{ id: 3n, position: [1.5, -2, 3e6] }],
      supervoxels: BigUint64Array.of(1n, 2n),
      addedEdges: BigUint64Array.of(1n, 2n),
      oldRoots: BigUint64Array.of(4n),
      newRoots: BigUint64Array.of(5n),
      oldL2: new BigUint64Array(),
      newL2: new BigUint64Array(),
    };
    const edit = { kind: "add", affinity: rows.USER_AFFINITY, area: 1n } as const;
    const decoders: [good: Uint8Array, decode: (bytes: Uint8Array) => unknown][] = [
      [encodeSettings(settings), decodeSettings],
      [rows.encodeOperation(operation), rows.decodeOperation],
      [rows.packJson({ status: "complete", detail: { scale: "8" } }), rows.decodeIngestState],
      [rows.encodeHead({ lastTime: 5n, lastOperation: 6n }), rows.decodeHead],
      [rows.encodeEdgeEdit(edit), rows.decodeEdgeEdit],
      [rows.timelineKey(5n, 6n), rows.readTimelineKey],
      [rows.packIds(BigUint64Array.of(1n, 2n)), rows.unpackIds],
    ];
    const attempt = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void => {
      try {
        decode(bytes);
      } catch (error) {
        expect(isGraphError(error, "corrupt-row", "bad-settings"), String(error)).toBe(true);
      }
    };
    for (const [good, decode] of decoders) {
      decode(good);
      for (let length = 0; length < good.length; length++) attempt(decode, good.subarray(0, length));
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bytes = good.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        attempt(decode, bytes);
      }
      fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => attempt(decode, bytes)));
    }
    const tooLarge = JSON.parse(new TextDecoder().decode(rows.encodeOperation(operation)));
    tooLarge.newRoots = ["99999999999999999999"];
    expect(() => rows.decodeOperation(rows.packJson(tooLarge))).toThrow("incomplete");
    expect(() => rows.decodeIngestState(rows.packJson({ status: "complete", detail: 5 }))).toThrow("detail 5");
  });

  test("ids, heads and ingest states come back; wrong lengths are named", () => {
    const ids = BigUint64Array.of(1n, 2n ** 64n - 1n);
    expect(rows.unpackIds(rows.packIds(ids))).toEqual(ids);
    expect(rows.unpackIds(rows.packIds(ids.subarray(1)))).toEqual(ids.subarray(1));
    expect(rows.unpackId(rows.packId(77n))).toBe(77n);
    expect(() => rows.unpackIds(new Uint8Array(9))).toThrow("9 bytes, not a multiple of 8");
    expect(() => rows.unpackId(new Uint8Array(9))).toThrow("9 bytes, not 8");
    const head = { lastTime: 5n, lastOperation: 6n };
    expect(rows.decodeHead(rows.encodeHead(head))).toEqual(head);
    expect(() => rows.decodeHead(new Uint8Array(8))).toThrow("not 16");
    expect(rows.decodeIngestState(rows.packJson({ status: "complete", detail: [1] }))).toEqual({
      status: "complete",
      detail: [1],
    });
    expect(() => rows.decodeIngestState(rows.packJson({}))).toThrow("status undefined");
  });
});
