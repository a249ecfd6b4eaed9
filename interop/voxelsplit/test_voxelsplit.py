"""Our voxel kernels against SciPy's distance transform and maximum flow and scikit-image's minimum-cost paths."""

import itertools

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow
from skimage.graph import MCP_Geometric

SIZES = [(1, 1, 1), (40, 1, 1), (17, 23, 9), (48, 40, 33)]
VOXELS = [(1, 1, 1), (8, 8, 40), (40, 4, 4), (0.3, 1.7, 3.14159)]
DIRECTIONS = [
    (x, y, z) for z, y, x in itertools.product((-1, 0, 1), repeat=3) if (z, y, x) > (0, 0, 0)
]


def blobs(shape, seed, density=0.6):
    """A mask with smooth borders."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 1.5, mode="wrap")
    return (noise >= np.quantile(noise, 1 - density)).astype(np.uint8)


def number(shape, positions):
    """Voxel numbers, x fastest."""
    return [int(x + shape[0] * (y + shape[1] * z)) for x, y, z in positions]


def pick(mask, count, seed):
    """Voxels of the mask."""
    inside = np.argwhere(mask)
    return inside[np.random.default_rng(seed).integers(len(inside), size=count)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("voxel", VOXELS)
def test_distances_to_the_background_are_scipys(kernels, shape, voxel):
    mask = blobs(shape, 1, 0.9)
    mask.flat[0] = 0  # SciPy has no meaning for a mask without background.
    ours, _ = kernels.run("distance", shape, np.float32, mask=mask, voxelSize=voxel)
    np.testing.assert_allclose(ours, ndimage.distance_transform_edt(mask, sampling=voxel), rtol=2e-7)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("voxel", VOXELS)
@pytest.mark.parametrize("costly", [False, True])
def test_geodesic_distances_are_those_of_mcp_geometric(kernels, shape, voxel, costly):
    mask = blobs(shape, 2)
    seeds = pick(mask, 3, 3)
    costs = np.random.default_rng(4).uniform(1, 50, shape).astype(np.float32)
    ours, _ = kernels.run(
        "geodesic",
        shape,
        np.float32,
        mask=mask,
        costs=costs if costly else None,
        voxelSize=voxel,
        seeds=number(shape, seeds),
    )
    field = np.where(mask, costs if costly else 1.0, -1.0)  # Negative costs are impassable to MCP.
    theirs, _ = MCP_Geometric(field, sampling=voxel).find_costs([tuple(seed) for seed in seeds])
    assert (np.isfinite(ours) == np.isfinite(theirs)).all()
    reached = np.isfinite(theirs)
    np.testing.assert_allclose(ours[reached], theirs[reached], rtol=2e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighed", [False, True])
def test_minimum_cuts_weigh_what_scipys_maximum_flow_carries(kernels, seed, weighed):
    shape = (14, 11, 9)
    rng = np.random.default_rng(seed)
    states = blobs(shape, seed, 0.8)
    free = np.argwhere(states)
    ends = rng.permutation(len(free))[:24]
    states[tuple(free[ends[:12]].T)] = 2
    states[tuple(free[ends[12:]].T)] = 3
    weights = rng.integers(0, 1000, 13)
    evidence = rng.integers(0, 256, shape).astype(np.uint8)
    sides, answer = kernels.run(
        "cut", shape, np.uint8, states=states, evidence=evidence if weighed else None, weights=weights.tolist()
    )

    count = states.size
    node = np.arange(count).reshape(shape, order="F")
    node[states == 2] = count
    node[states == 3] = count + 1
    tails, heads, capacities = [], [], []
    cut = 0
    for (dx, dy, dz), weight in zip(DIRECTIONS, weights.tolist()):
        for x, y, z in np.argwhere(states):
            i, j, k = x + dx, y + dy, z + dz
            if weight == 0 or not (0 <= i < shape[0] and 0 <= j < shape[1] and 0 <= k < shape[2]):
                continue
            if states[i, j, k] == 0 or node[x, y, z] == node[i, j, k]:
                continue
            pair = sorted((int(evidence[x, y, z]), int(evidence[i, j, k])))
            capacity = max(1, (weight * (15 * pair[0] + pair[1]) + 2040) // 4080) if weighed else weight
            tails += [node[x, y, z], node[i, j, k]]
            heads += [node[i, j, k], node[x, y, z]]
            capacities += [capacity, capacity]
            cut += capacity * (sides[x, y, z] != sides[i, j, k])
    graph = coo_array((np.array(capacities, np.int32), (tails, heads)), shape=(count + 2, count + 2)).tocsr()
    assert answer["flow"] == maximum_flow(graph, count, count + 1).flow_value == cut
    assert (sides[states == 2] == 1).all() and (sides[states == 3] == 2).all() and (sides[states == 0] == 0).all()


def test_a_geodesic_split_agrees_with_the_same_split_in_scikit_image(kernels):
    shape, voxel = (60, 34, 20), (4, 4, 12)
    x, y, z = np.indices(shape)
    ball = lambda a, r: (x - a) ** 2 + (y - 16) ** 2 + ((z - 10) * 3) ** 2 <= r * r
    mask = (ball(17, 15) | ball(43, 14)).astype(np.uint8)
    seeds = [[9, 16, 10], [50, 17, 10]]
    ours, _ = kernels.run(
        "split", shape, np.uint8, mask=mask, voxelSize=voxel, seeds=[[seed] for seed in seeds], method="geodesic"
    )
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=voxel)[1:-1, 1:-1, 1:-1]
    field = np.where(mask, 1 / np.clip((depth / depth.max()) ** 1.6, 1e-6, 1), -1)
    arrivals = []
    for seed in seeds:
        start = np.zeros(shape, bool)
        start[tuple(seed)] = True
        start = ndimage.binary_dilation(start) & (mask > 0)
        arrivals.append(MCP_Geometric(field, sampling=voxel).find_costs(np.argwhere(start))[0])
    theirs = np.where(mask > 0, np.where(arrivals[0] <= arrivals[1], 1, 2), 0)
    # Sums of f32 and f64 may order nearly equal arrivals otherwise.
    assert (ours != theirs).sum() <= 0.001 * mask.sum()
