/**
 * Makes the supervoxel graph of `merger-3x3x1/`: the statistics of a real merge error of two neurons (the test data of
 * PyChunkedGraph), none of its data.
 *
 *   node test-fixtures/multicut/generate.mjs        needs the built packages; rewrites the files and MANIFEST.json
 *
 * What is alike: 3×3×1 chunks, 3,777 supervoxels, 28,092 rows (26,960 pairs, 1,132 of them twice and reversed), 960 infinite
 * rows across chunk borders that form 467 pairs, 3 triples and 2 quadruples, two affinities of 0, the rest log-normal floats
 * with the scale of contact areas (median 648), two objects of about 850 and 2,330 vertices that touch along a surface, two
 * stray components of 107 and 13, two sources and two sinks that direct mode cannot keep together.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { multicut } from "../../packages/multicut/dist/index.js";

const NAME = "merger-3x3x1";
const SEED = 20240229;
const SUPERVOXELS = 3777;
const FINITE_PAIRS = 26480;
const FINITE_TWICE = 652;
const OBJECTS = [
  { name: "strayLarge", count: 107 },
  { name: "straySmall", count: 13 },
];
const MEDIAN = 648;
const SIGMA = 1.45;
const LARGEST = 36585.48;

const random = mulberry(SEED);
const points = placePoints();
const { infinite, merged } = chooseInfinite();
const finite = chooseFinite();
const once = finite.map(([a, b, w]) => (random() < 0.5 ? [a, b, w] : [b, a, w]));
const again = shuffled(once).slice(0, FINITE_TWICE);
const all = shuffled([
  ...infinite.flatMap(([a, b]) => [[a, b, Infinity], [b, a, Infinity]]),
  ...once,
  ...again.map(([a, b, w]) => [b, a, w]),
]);

const edges = BigUint64Array.from(all.flatMap(([a, b]) => [points[a].id, points[b].id]));
const affinities = Float64Array.from(all, ([, , w]) => w);
const labels = chooseLabels();
write();

/** Points in a box of 3×3×1 chunks: object 0 fills its left part, object 1 the rest, the strays their own corners. */
function placePoints() {
  const placed = [];
  const strays = OBJECTS.reduce((sum, { count }) => sum + count, 0);
  const segments = new Set();
  while (placed.length < SUPERVOXELS - strays) {
    const at = [3 * random(), 3 * random(), 0.6 * random()];
    // A wavy surface between the two objects.
    const border = 0.72 + 0.22 * Math.sin(2.3 * at[1]) + 0.3 * (at[2] - 0.3);
    placed.push({ at, object: at[0] < border ? 0 : 1 });
  }
  for (const [i, { count }] of OBJECTS.entries()) {
    for (let n = 0; n < count; n++) {
      const at = [2.4 + 0.5 * random(), 0.3 + 1.8 * i + 0.3 * random(), 0.8 + 0.15 * random()];
      placed.push({ at, object: 2 + i });
    }
  }
  return shuffled(placed).map((point) => {
    const chunk = point.at.map(Math.floor);
    let segment;
    do segment = Math.floor(random() * 2 ** 22) + 1;
    while (segments.has(segment));
    segments.add(segment);
    const [x, y, z] = chunk.map(BigInt);
    const id = (1n << 56n) | ((x + 67n) << 48n) | ((y + 195n) << 40n) | ((z + 3n) << 32n) | BigInt(segment);
    return { ...point, chunk: chunk.join(), id };
  });
}

/** Neighbours across chunk borders that one object's border cut apart: pairs, three triples, two quadruples. */
function chooseInfinite() {
  const across = nearPairs(0.45).filter(([a, b]) => points[a].chunk !== points[b].chunk && points[a].object === points[b].object);
  const sizes = [4, 4, 3, 3, 3, ...Array(467).fill(2)];
  const used = new Set();
  const neighbours = new Map();
  for (const [a, b] of across) {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
  }
  const chosen = [];
  const groups = new Map();
  for (const [a, b] of across) {
    if (sizes.length === 0) break;
    if (used.has(a) || used.has(b)) continue;
    const group = [a, b];
    while (group.length < sizes[0]) {
      const next = group.flatMap((v) => neighbours.get(v)).find((v) => !used.has(v) && !group.includes(v));
      if (next === undefined) break;
      group.push(next);
    }
    if (group.length < sizes[0]) continue;
    sizes.shift();
    for (const v of group) {
      used.add(v);
      groups.set(v, Math.min(...group));
    }
    for (let i = 1; i < group.length; i++) {
      const near = group.slice(0, i).find((v) => neighbours.get(group[i]).includes(v));
      chosen.push([near, group[i]]);
    }
    // The last triple is a triangle: one infinite edge more than it takes.
    if (group.length === 3 && !sizes.includes(3)) {
      const near = chosen[chosen.length - 1][0];
      chosen.push([near === group[0] ? group[1] : group[0], group[2]]);
    }
  }
  if (sizes.length > 0) throw new Error(`${sizes.length} infinite groups found no place`);
  return { infinite: chosen, merged: groups };
}

/** A spanning forest of the objects, then the shortest contacts; those between the two objects are fewer and weaker. */
function chooseFinite() {
  const taken = new Set(infinite.map(([a, b]) => key(a, b)));
  const candidates = nearPairs(0.3).filter(([a, b]) => {
    const [low, high] = [points[a].object, points[b].object].sort();
    if (taken.has(key(a, b)) || (merged.has(a) && merged.get(a) === merged.get(b))) return false;
    return low === high || (low === 0 && high === 1 && random() < 0.27);
  });
  const parent = Array.from(points, (_, i) => merged.get(i) ?? i);
  const find = (v) => (parent[v] === v ? v : (parent[v] = find(parent[v])));
  const tree = candidates.filter(([a, b]) => {
    const [x, y] = [find(a), find(b)];
    parent[x] = y;
    return x !== y;
  });
  const inTree = new Set(tree);
  const rest = candidates.filter((pair) => !inTree.has(pair));
  return [...tree, ...rest].slice(0, FINITE_PAIRS).map(([a, b], i) => {
    const scale = points[a].object === points[b].object ? 1 : 0.25;
    const weight = Math.min(MEDIAN * scale * Math.exp(SIGMA * gauss()), LARGEST);
    return [a, b, i === 5000 || i === 9000 ? 0 : Math.fround(weight)];
  });
}

/** The first two sources and two sinks, far apart, that augmented mode parts and direct mode does not keep together. */
function chooseLabels() {
  const reps = points.map((_, i) => i).filter((i) => !merged.has(i));
  const [left, right] = [0, 1].map((object) => reps.filter((i) => points[i].object === object));
  for (let tries = 0; tries < 1000; tries++) {
    const pick = (list) => list[Math.floor(random() * list.length)];
    const four = [pick(left), pick(left), pick(right), pick(right)];
    if (distance(four[0], four[1]) < 1 || distance(four[2], four[3]) < 0.5) continue;
    const [sources, sinks] = [four.slice(0, 2), four.slice(2)].map((pair) => BigUint64Array.from(pair, (i) => points[i].id));
    const input = { edges, affinities, groups: [sources, sinks] };
    const result = multicut(input);
    if (result.kind !== "cut" || result.vertexCounts[0] < 700 || result.vertexCounts[1] < 2000) continue;
    const direct = multicut({ ...input, mode: "direct" });
    if (direct.kind === "rejected" && direct.code === "GROUP_SEVERED") return { sources, sinks, result, direct };
  }
  throw new Error("No labels found; change the seed");
}

function write() {
  const folder = new URL(`${NAME}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  const files = {
    "sv_edges.npy": npy("<u8", [all.length, 2], edges),
    "sv_affinity.npy": npy("<f8", [all.length], affinities),
    "sv_sources.npy": npy("<u8", [2], labels.sources),
    "sv_sinks.npy": npy("<u8", [2], labels.sinks),
  };
  const sums = {};
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(new URL(name, folder), bytes);
    sums[name] = createHash("sha256").update(bytes).digest("hex");
  }
  const { result, direct } = labels;
  const golden = {
    flow: result.flow,
    cutEdges: result.edges.length / 2,
    cutSha256: createHash("sha256").update(new Uint8Array(result.edges.buffer)).digest("hex"),
    vertexCounts: result.vertexCounts,
    supervoxelCounts: result.parts.map((part) => part.length),
    directFlow: direct.flow,
  };
  const manifest = { generator: "generate.mjs", seed: SEED, cases: { [NAME]: { files: sums, golden } } };
  writeFileSync(new URL("MANIFEST.json", import.meta.url), `${JSON.stringify(manifest, null, 1)}\n`);
  console.log(golden);
}

/** A NumPy array file, version 1.0. */
function npy(descr, shape, array) {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, "latin1");
  const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([magic, header, new Uint8Array(array.buffer)]);
}

/** Pairs of points closer than `reach`, nearest first. */
function nearPairs(reach) {
  const pairs = [];
  for (let a = 0; a < points.length; a++) {
    for (let b = a + 1; b < points.length; b++) {
      const d = distance(a, b);
      if (d < reach) pairs.push([a, b, d]);
    }
  }
  return pairs.sort((x, y) => x[2] - y[2]).map(([a, b]) => [a, b]);
}

function distance(a, b) {
  return Math.hypot(...points[a].at.map((x, axis) => x - points[b].at[axis]));
}

function key(a, b) {
  return Math.min(a, b) * SUPERVOXELS + Math.max(a, b);
}

function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** Standard normal, by Box and Muller. */
function gauss() {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The generator "mulberry32": the same numbers on every machine. */
function mulberry(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
