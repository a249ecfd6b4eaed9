// Objects whose best cut is known: for the tests' quality table and for the pictures in the docs. All coordinates are voxels,
// x, y, z; `inside` says whether a voxel belongs to the object, `side` on which side of the best surface it lies; surfaces whose
// voxels lie `within` that physical distance of it on average are as good.

const ball = (cx, cy, cz, r) => (x, y, z) => (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 <= r * r;
const union =
  (...parts) =>
  (x, y, z) =>
    parts.some((part) => part(x, y, z));

/** All points within `r` of the straight line from `a` to `b`, in voxels times `scale`. */
function tube(a, b, r, scale = [1, 1, 1]) {
  const axis = b.map((to, k) => (to - a[k]) * scale[k]);
  const length = axis.reduce((sum, d) => sum + d * d, 0);
  return (x, y, z) => {
    const from = [x - a[0], y - a[1], z - a[2]].map((d, k) => d * scale[k]);
    const along = Math.max(0, Math.min(1, from.reduce((sum, d, k) => sum + d * axis[k], 0) / length));
    return from.reduce((sum, d, k) => sum + (d - along * axis[k]) ** 2, 0) <= r * r;
  };
}

/** 1 before `at` along `axis`, 2 from there on. */
const halves =
  (axis, at) =>
  (...voxel) =>
    voxel[axis] < at ? 1 : 2;

export const shapes = [
  {
    name: "two balls, seeds near the waist and far from it",
    size: [64, 34, 34],
    voxelSize: [1, 1, 1],
    inside: union(ball(18, 16, 16, 15), ball(44, 16, 16, 15)),
    seeds: [[[25, 16, 16]], [[56, 16, 16]]],
    within: 1,
    side: halves(0, 32),
  },
  {
    name: "two balls, the other way round",
    size: [64, 34, 34],
    voxelSize: [1, 1, 1],
    inside: union(ball(18, 16, 16, 15), ball(44, 16, 16, 15)),
    seeds: [[[8, 16, 16]], [[40, 16, 16]]],
    within: 1,
    side: halves(0, 32),
  },
  {
    name: "unequal blobs, seeds off centre",
    size: [66, 42, 42],
    voxelSize: [1, 1, 1],
    inside: union(ball(21, 20, 20, 19), ball(49, 22, 19, 12)),
    seeds: [[[15, 14, 26]], [[53, 24, 17]]],
    within: 1,
    side: (x, y, z) =>
      (x - 21) ** 2 + (y - 20) ** 2 + (z - 20) ** 2 - 361 <= (x - 49) ** 2 + (y - 22) ** 2 + (z - 19) ** 2 - 144
        ? 1
        : 2,
  },
  {
    name: "a neck between blobs",
    size: [64, 34, 34],
    voxelSize: [1, 1, 1],
    inside: union(ball(14, 16, 16, 12), ball(44, 16, 16, 14), tube([14, 16, 16], [44, 16, 16], 4)),
    seeds: [[[10, 10, 16]], [[50, 16, 20]]],
    within: 3,
    side: halves(0, 28),
  },
  {
    name: "a neck one voxel thin, aslant",
    size: [56, 40, 40],
    voxelSize: [1, 1, 1],
    inside: union(ball(12, 12, 12, 11), ball(42, 27, 26, 11), tube([12, 12, 12], [42, 27, 26], 0.9)),
    seeds: [[[8, 12, 10]], [[46, 30, 24]]],
    within: 2,
    side: halves(0, 27),
  },
  {
    name: "a waist aslant to all axes",
    size: [56, 56, 56],
    voxelSize: [1, 1, 1],
    inside: union(ball(18, 18, 18, 17), ball(36, 36, 36, 17)),
    seeds: [[[14, 16, 18]], [[40, 37, 35]]],
    within: 1.5,
    side: (x, y, z) => (x + y + z <= 81 ? 1 : 2),
  },
  {
    name: "balls of 40×4×4 nm voxels",
    size: [18, 84, 84],
    voxelSize: [40, 4, 4],
    inside: (x, y, z) =>
      Math.hypot((x - 8) * 10, y - 40, z - 24) <= 22 || Math.hypot((x - 8) * 10, y - 42, z - 58) <= 20,
    seeds: [[[8, 38, 18]], [[7, 44, 66]]],
    within: 4,
    side: (_x, y, z) => ((y - 40) ** 2 + (z - 24) ** 2 - 484 <= (y - 42) ** 2 + (z - 58) ** 2 - 400 ? 1 : 2),
  },
  {
    name: "40×4×4 nm, joined across the coarse axis",
    size: [26, 54, 54],
    voxelSize: [40, 4, 4],
    inside: (x, y, z) =>
      Math.hypot((x - 6) * 10, y - 26, z - 26) <= 48 / 2 || Math.hypot((x - 10) * 10, y - 26, z - 26) <= 48 / 2,
    seeds: [[[5, 26, 22]], [[11, 28, 30]]],
    within: 40,
    side: halves(0, 8),
  },
  {
    name: "touching fibres, two seeds each",
    size: [86, 31, 17],
    voxelSize: [1, 1, 1],
    inside: union(
      (_x, y, z) => (y - 8) ** 2 + (z - 8) ** 2 <= 64,
      (_x, y, z) => (y - 22) ** 2 + (z - 8) ** 2 <= 64,
    ),
    seeds: [
      [
        [3, 8, 8],
        [80, 7, 9],
      ],
      [
        [2, 23, 8],
        [84, 22, 6],
      ],
    ],
    within: 1,
    side: (_x, y) => (y < 15 ? 1 : 2),
  },
  {
    name: "a branch leaves a trunk",
    size: [90, 60, 26],
    voxelSize: [8, 8, 8],
    inside: union(tube([0, 14, 12], [89, 14, 12], 8), tube([44, 14, 12], [70, 56, 14], 5)),
    seeds: [
      [
        [6, 14, 12],
        [82, 15, 12],
      ],
      [[66, 50, 14]],
    ],
    within: 32,
    side: (x, y) => (y <= 22 || (x - 44) * 26 + (y - 14) * 42 < 1000 ? 1 : 2),
  },
  {
    name: "a tube that comes back beside itself",
    size: [70, 24, 14],
    voxelSize: [4, 4, 4],
    inside: union(tube([4, 6, 6], [60, 6, 6], 4), tube([60, 6, 6], [60, 16, 6], 4), tube([60, 16, 6], [4, 16, 6], 4)),
    seeds: [[[4, 6, 6]], [[4, 16, 6]]],
    within: 8,
    side: (_x, y) => (y < 11 ? 1 : 2),
  },
  {
    name: "two balls, large",
    size: [192, 102, 102],
    voxelSize: [1, 1, 1],
    inside: union(ball(54, 50, 50, 46), ball(132, 50, 50, 46)),
    seeds: [[[70, 48, 52]], [[168, 50, 45]]],
    within: 1,
    side: halves(0, 94),
  },
  {
    name: "a thin neck between large blobs",
    size: [190, 96, 96],
    voxelSize: [4, 4, 4],
    inside: union(ball(48, 47, 47, 46), ball(142, 45, 49, 44), tube([48, 47, 47], [142, 45, 49], 1.2)),
    seeds: [[[30, 40, 47]], [[150, 60, 49]]],
    within: 8,
    side: halves(0, 96),
  },
  {
    name: "three blobs in a row, three groups",
    size: [92, 34, 34],
    voxelSize: [1, 1, 1],
    inside: union(ball(16, 16, 16, 14), ball(43, 16, 16, 15), ball(72, 17, 16, 15)),
    seeds: [[[12, 16, 16]], [[46, 14, 18]], [[76, 17, 16]]],
    within: 1,
    side: (x) => (x < 29 ? 1 : x < 58 ? 2 : 3),
  },
  {
    name: "four tubes meet, four groups",
    size: [71, 71, 25],
    voxelSize: [8, 8, 16],
    inside: union(tube([2, 35, 12], [68, 35, 12], 7, [1, 1, 2]), tube([35, 2, 12], [35, 68, 12], 7, [1, 1, 2])),
    seeds: [[[6, 35, 12]], [[64, 35, 12]], [[35, 6, 12]], [[35, 64, 12]]],
    within: 56,
    side: (x, y) => (Math.abs(x - 35) >= Math.abs(y - 35) ? (x < 35 ? 1 : 2) : y < 35 ? 3 : 4),
  },
];

/** A shape as a mask, x fastest, and its best sides. */
export function drawShape({ size, inside, side }) {
  const [sx, sy, sz] = size;
  const mask = new Uint8Array(sx * sy * sz);
  const best = new Uint8Array(sx * sy * sz);
  for (let z = 0, voxel = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, voxel++) {
        if (!inside(x, y, z)) continue;
        mask[voxel] = 1;
        best[voxel] = side(x, y, z);
      }
    }
  }
  return { mask, best };
}

/** Naming axis `order[k]` axis k: the shape seen so. */
export function turnShape(shape, order) {
  const turn = (at) => order.map((axis) => at[axis]);
  const back = (...at) => [0, 1, 2].map((axis) => at[order.indexOf(axis)]);
  return {
    ...shape,
    size: turn(shape.size),
    voxelSize: turn(shape.voxelSize),
    seeds: shape.seeds.map((group) => group.map(turn)),
    inside: (...at) => shape.inside(...back(...at)),
    side: (...at) => shape.side(...back(...at)),
  };
}

/** What `splitVoxels` is asked of a shape. */
export function requestOf({ size, voxelSize, seeds }, mask) {
  return { mask, size, voxelSize, seeds };
}
