"""A geodesic split as PyChunkedGraph makes it, written with SciPy and scikit-image, of the objects of ours.mjs: prints one JSON
object with the same keys. The same split stands beside both of our methods; it is strided three by three by one as there, and
leaves out snapping and the repair of components.

pip install numpy scipy scikit-image
python bench/voxelsplit/peer.py
"""
import json
import sys
import time
import tracemalloc

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

STRIDE = np.array((3, 3, 1))
SAMPLING = (12.0, 12.0, 12.0)  # Voxels of 4×4×12, strided.
SEEDS = (
    ((60, 128, 32), (50, 180, 32), (90, 60, 36)),
    ((210, 130, 30), (220, 100, 32), (200, 160, 32)),
)


def merger(size, scale):
    x, y, z = np.ogrid[: size[0], : size[1], : size[2]]
    across = (y / scale - 128) ** 2 + ((z / scale - 32) * 3) ** 2
    mask = ((x / scale - 80) ** 2 + across < 90**2) | ((x / scale - 190) ** 2 + across < 62**2)
    return mask, [np.array(group) * scale for group in SEEDS]


def field(mask, exponent):
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=SAMPLING)[1:-1, 1:-1, 1:-1]
    return np.where(mask, 1 / np.clip((depth / depth.max()) ** exponent, 1e-6, 1), -1)


def connect(costs, seeds):
    """Paths from the first seed to the others."""
    walker = MCP_Geometric(costs, sampling=SAMPLING)
    walker.find_costs([tuple(seeds[0])], [tuple(seed) for seed in seeds[1:]])
    return np.concatenate([np.array(walker.traceback(tuple(seed))) for seed in seeds[1:]])


def split(mask, groups):
    coarse = mask[tuple(slice(None, None, step) for step in STRIDE)]
    groups = [seeds // STRIDE for seeds in groups]
    ridge = field(coarse, 2)
    teams = [np.concatenate([seeds, connect(ridge, seeds)]) for seeds in groups]
    costs = field(coarse, 1.6)
    arrivals = [MCP_Geometric(costs, sampling=SAMPLING).find_costs(team)[0] for team in teams]
    sides = np.where(arrivals[0] <= arrivals[1], np.uint8(1), np.uint8(2))
    for axis, step in enumerate(STRIDE):
        sides = np.repeat(sides, step, axis=axis)
    sides = sides[tuple(slice(0, length) for length in mask.shape)] * mask
    return [ndimage.label(sides == side, np.ones((3, 3, 3)))[1] for side in (1, 2)]


def measure(size, scale, runs):
    """Median seconds, and the most bytes per voxel of the box that a run held beside the mask."""
    mask, groups = merger(size, scale)
    times = []
    processor = []
    tracemalloc.start()
    for _ in range(runs):
        before = time.process_time()
        begin = time.perf_counter()
        split(mask, groups)
        times.append(time.perf_counter() - begin)
        processor.append(time.process_time() - before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    box = "x".join(str(length) for length in size)
    print(f"{box}: fastest {min(times):.2f} s, processor time {np.median(processor):.2f} s", file=sys.stderr)
    return round(float(np.median(times)), 3), peak / mask.size


small, _ = measure((256, 256, 64), 1, 2)
large, memory = measure((512, 512, 128), 2, 1)
result = {}
for method in ("banded", "geodesic"):
    result[f"{method}_256x256x64"] = {"value": small, "unit": "s", "better": "lower"}
    result[f"{method}_512x512x128"] = {"value": large, "unit": "s", "better": "lower"}
result["memory_512x512x128"] = {"value": memory, "unit": "bytes per voxel", "better": "lower"}
print(json.dumps(result))
