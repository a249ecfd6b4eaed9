"""Solves the problems of ours.mjs with SciPy, NetworkX and, where it can be imported, graph-tool, under the same keys.

pip install numpy scipy networkx; apt install python3-graph-tool python3-scipy python3-networkx
python bench/multicut/peer.py

graph-tool comes with Debian for its own interpreter: where this one lacks it, PCG_GRAPH_TOOL_PYTHON (default
/usr/bin/python3) runs that part, if it has graph-tool.

Each does the whole work: contract, connect the labels of each side, cut. SciPy and NetworkX flow whole numbers; the
affinities are scaled for them.
"""
import json
import os
import statistics
import subprocess
import sys
import time

import networkx as nx
import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, maximum_flow

try:
    import graph_tool
    import graph_tool.flow
except ImportError:
    graph_tool = None

SECONDS = 3
SCALE = 1000
ENDLESS = 2**30

here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "../../test-fixtures/multicut/merger-3x3x1")


def contracted(edges, affinities, groups):
    """Vertices, merged edges (ends, sum, largest) and label vertices."""
    ids, ends = np.unique(edges, return_inverse=True)
    ends = ends.reshape(-1, 2)
    infinite = np.isinf(affinities)
    joins = ends[infinite]
    graph = coo_matrix((np.ones(len(joins)), (joins[:, 0], joins[:, 1])), shape=(len(ids), len(ids)))
    count, vertex = connected_components(graph, directed=False)
    ends = np.sort(vertex[ends[~infinite]], axis=1)
    keep = ends[:, 0] != ends[:, 1]
    ends, weights = ends[keep], affinities[~infinite][keep]
    key = ends[:, 0].astype(np.int64) * count + ends[:, 1]
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) > 0])
    ends = ends[order][starts]
    total = np.add.reduceat(weights[order], starts)
    largest = np.maximum.reduceat(weights[order], starts)
    return count, ends, total, largest, [vertex[np.searchsorted(ids, group)] for group in groups]


def paths(count, ends, largest, labels, others):
    """Pairs of vertices along the shortest paths from the first label to the rest, without the other side's labels."""
    lengths = 1 / (largest + np.finfo(float).eps)
    free = ~np.isin(ends, others).any(axis=1)
    graph = csr_matrix((lengths[free], (ends[free, 0], ends[free, 1])), shape=(count, count))
    _, before = dijkstra(graph, directed=False, indices=labels[0], return_predecessors=True)
    steps = []
    for v in labels[1:]:
        while v != labels[0]:
            steps.append((before[v], v))
            v = before[v]
    return steps


def with_scipy(edges, affinities, groups, augmented=True):
    count, ends, total, largest, labels = contracted(edges, affinities, groups)
    forced = [labels[0], labels[1]]
    if augmented:
        tied = paths(count, ends, largest, labels[0], labels[1]) + paths(count, ends, largest, labels[1], labels[0])
    else:
        tied = [(side[0], v) for side in forced for v in side[1:]]
    tied = np.array(tied, dtype=np.int64).reshape(-1, 2)
    capacity = np.r_[np.round(total * SCALE).clip(max=ENDLESS), np.full(len(tied), ENDLESS)].astype(np.int64)
    a, b = np.r_[ends[:, 0], tied[:, 0]], np.r_[ends[:, 1], tied[:, 1]]
    graph = csr_matrix((np.r_[capacity, capacity].clip(max=ENDLESS), (np.r_[a, b], np.r_[b, a])), shape=(count, count))
    graph.data = graph.data.clip(max=ENDLESS).astype(np.int32)
    graph = graph.astype(np.int32)
    found = maximum_flow(graph, labels[0][0], labels[1][0], method="dinic")
    rest = graph - found.flow
    rest.data = (rest.data > 0).astype(np.int8)
    rest.eliminate_zeros()
    _, before = dijkstra(rest, indices=labels[0][0], unweighted=True, return_predecessors=True)
    side = before >= 0
    side[labels[0][0]] = True
    return found.flow_value / SCALE, np.count_nonzero(side[ends[:, 0]] != side[ends[:, 1]])


def with_networkx(edges, affinities, groups):
    count, ends, total, largest, labels = contracted(edges, affinities, groups)
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from((a, b, {"capacity": w}) for (a, b), w in zip(ends.tolist(), total.tolist()))
    for own, other in (labels, labels[::-1]):
        for a, b in paths(count, ends, largest, own, other):
            graph.edges[a, b]["capacity"] = float("inf")
    flow, _ = nx.minimum_cut(graph, labels[0][0], labels[1][0], flow_func=nx.algorithms.flow.boykov_kolmogorov)
    return flow


def with_graph_tool(edges, affinities, groups):
    count, ends, total, largest, labels = contracted(edges, affinities, groups)
    tied = paths(count, ends, largest, labels[0], labels[1]) + paths(count, ends, largest, labels[1], labels[0])
    tied = np.array(tied, dtype=np.int64).reshape(-1, 2)
    a, b = np.r_[ends[:, 0], tied[:, 0]], np.r_[ends[:, 1], tied[:, 1]]
    graph = graph_tool.Graph(directed=True)
    graph.add_vertex(count)
    graph.add_edge_list(np.column_stack([np.r_[a, b], np.r_[b, a]]))
    capacity = graph.new_edge_property("double")
    capacity.a = np.tile(np.r_[total, np.full(len(tied), 3.4028235e38)], 2)
    source, sink = graph.vertex(labels[0][0]), graph.vertex(labels[1][0])
    rest = graph_tool.flow.boykov_kolmogorov_max_flow(graph, source, sink, capacity)
    return graph_tool.flow.min_st_cut(graph, source, capacity, rest)


def two_boxes(x, y, z):
    """The graph of the same name in ours.mjs."""
    i, j, k = (axis.ravel(order="F") for axis in np.meshgrid(*(np.arange(n) for n in (x, y, z)), indexing="ij"))
    at = i + x * (j + y * k)
    ends, weights = [], []
    steps = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]
    for s, (dx, dy, dz) in enumerate(steps):
        in_neck = (abs(2 * j - y) < y / 3) & (abs(2 * k - z) < z / 3)
        ok = (i + dx < x) & (j + dy < y) & (k + dz < z)
        ok &= ~((2 * i < x) & (2 * (i + dx) >= x) & ~in_neck)
        ends.append(np.column_stack([at[ok], at[ok] + dx + x * (dy + y * dz)]))
        weights.append(weigh(at[ok] * 8 + s))
    label = lambda i, j, k: (1 << 56) + i + x * (j + y * k)
    groups = [
        [label(2, y // 2, z // 2), label(x // 2 - 4, 2, 2)],
        [label(x - 3, y // 2, z // 2), label(x // 2 + 4, y - 3, 2)],
    ]
    edges = np.concatenate(ends).astype(np.uint64) + np.uint64(1 << 56)
    return edges, np.concatenate(weights).astype(np.float64), [np.array(g, dtype=np.uint64) for g in groups]


def weigh(key):
    mask = np.uint64(0xFFFFFFFF)
    h = key.astype(np.uint64) * np.uint64(0x9E3779B1) & mask
    h = (h ^ (h >> np.uint64(15))) * np.uint64(0x85EBCA6B) & mask
    h = (h ^ (h >> np.uint64(13))).astype(np.int64)
    return (1 + h % 20) * (1 + h // 20 % 20) * (1 + h // 400 % 20)


def measure(name, run):
    """The median; on a busy machine the fastest call and the processor time, on stderr, say more."""
    times, processor = [], []
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS or len(times) < 2:
        before = time.process_time()
        begin = time.perf_counter()
        run()
        times.append((time.perf_counter() - begin) * 1000)
        processor.append((time.process_time() - before) * 1000)
        if times[-1] > 4000 * SECONDS:
            break
    fastest, middle, work = min(times), statistics.median(times), statistics.median(processor)
    print(
        f"{name}, peer: fastest {fastest:.1f} ms, median {middle:.1f} ms, processor time {work:.1f} ms, "
        f"load {os.getloadavg()[0]:.1f}",
        file=sys.stderr,
    )
    return round(middle, 3)


def main():
    edges, affinities, sources, sinks = (
        np.load(os.path.join(folder, f"sv_{name}.npy")) for name in ("edges", "affinity", "sources", "sinks")
    )
    real = (edges, affinities, [sources, sinks])
    million = two_boxes(128, 33, 33)
    with_graph_tool_metrics = {
        "merger_28k_graph_tool": lambda: with_graph_tool(*real),
        "boxes_1m_graph_tool": lambda: with_graph_tool(*million),
    }
    if sys.argv[1:] == ["graph-tool"]:
        print(json.dumps(measured(with_graph_tool_metrics)))
        return
    metrics = {
        "merger_28k": lambda: with_scipy(*real),
        "merger_28k_networkx": lambda: with_networkx(*real),
        "merger_28k_direct": lambda: with_scipy(*real, augmented=False),
        "boxes_1m": lambda: with_scipy(*million),
    }
    result = measured(metrics)
    result.update(measured(with_graph_tool_metrics) if graph_tool is not None else elsewhere())
    print(json.dumps(result))


def measured(metrics):
    return {name: {"value": measure(name, run), "unit": "ms", "better": "lower"} for name, run in metrics.items()}


def elsewhere():
    """What the interpreter that has graph-tool measures; nothing if there is none."""
    python = os.environ.get("PCG_GRAPH_TOOL_PYTHON", "/usr/bin/python3")
    if not os.path.exists(python) or subprocess.run([python, "-c", "import graph_tool"], capture_output=True).returncode:
        print("graph-tool is not installed: SciPy and NetworkX alone.", file=sys.stderr)
        return {}
    run = subprocess.run([python, __file__, "graph-tool"], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
