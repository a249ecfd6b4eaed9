"""Our cuts against SciPy's and NetworkX's maximum flows, on random graphs and on the re-created merge error."""

import json
import os
import pathlib
import random

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

FIXTURES = pathlib.Path(__file__).parents[2] / "test-fixtures/multicut"


def random_graph(seed, vertices, rows, largest=1000):
    """Connected rows (a, b, weight) over ids of all 64 bits, parallel, reversed and looping ones among them."""
    draw = random.Random(seed)
    ids = [draw.getrandbits(64) for _ in range(vertices)]
    rows = [(ids[v - 1], ids[v], draw.randint(1, largest)) for v in range(1, vertices)] + [
        (*draw.choices(ids, k=2), draw.randint(0, largest)) for _ in range(rows - vertices + 1)
    ]
    rows += [(b, a, w) for a, b, w in draw.sample(rows, len(rows) // 10)]
    draw.shuffle(rows)
    return ids, rows


def as_networkx(rows):
    graph = nx.Graph()
    for a, b, w in rows:
        if a == b:
            continue
        if graph.has_edge(a, b):
            graph.edges[a, b]["capacity"] += w
        else:
            graph.add_edge(a, b, capacity=w)
    return graph


def scipy_min_cut(rows, source, sink):
    """Flow and smallest source side of whole-number capacities."""
    ids, ends = np.unique(np.array([row[:2] for row in rows], dtype=np.uint64), return_inverse=True)
    ends = ends.reshape(-1, 2)
    weights = np.array([row[2] for row in rows], dtype=np.int64)
    both = np.r_[ends, ends[:, ::-1]]
    graph = csr_matrix((np.r_[weights, weights], (both[:, 0], both[:, 1])), shape=(len(ids), len(ids)))
    graph.setdiag(0)
    graph.eliminate_zeros()
    graph = graph.astype(np.int32)
    s, t = np.searchsorted(ids, np.array([source, sink], dtype=np.uint64))
    found = maximum_flow(graph, s, t)
    rest = graph - found.flow
    rest.eliminate_zeros()
    reached = breadth_first_order(rest, s, return_predecessors=False)
    return found.flow_value, {int(ids[v]) for v in reached}


def side_of(result, group):
    return {v for part, side in zip(result["parts"], result["sides"]) if side == group for v in part}


@pytest.mark.parametrize("seed", range(25))
def test_flow_and_smallest_side_are_scipys(cuts, seed):
    ids, rows = random_graph(seed, 60, 400)
    ours = cuts.cut([r[:2] for r in rows], [r[2] for r in rows], [[ids[0]], [ids[-1]]], disallowIsolating=False)
    flow, side = scipy_min_cut(rows, ids[0], ids[-1])
    assert ours["kind"] == "cut"
    assert ours["flow"] == flow
    assert side_of(ours, 0) == side


@pytest.mark.parametrize("seed", range(25))
def test_flow_is_networkxs_and_the_cut_weighs_it(cuts, seed):
    ids, rows = random_graph(100 + seed, 40, 200)
    ours = cuts.cut([r[:2] for r in rows], [r[2] for r in rows], [[ids[0]], [ids[-1]]], disallowIsolating=False)
    graph = as_networkx(rows)
    assert ours["flow"] == nx.minimum_cut_value(graph, ids[0], ids[-1])
    assert ours["edges"] == sorted(ours["edges"])
    assert sum(graph.edges[pair]["capacity"] for pair in ours["edges"]) == ours["flow"]
    graph.remove_edges_from(ours["edges"])
    assert not nx.has_path(graph, ids[0], ids[-1])


@pytest.mark.parametrize("seed", range(15))
def test_infinite_edges_contract_as_networkx_contracts(cuts, seed):
    ids, rows = random_graph(200 + seed, 40, 160)
    draw = random.Random(seed)
    joins = [tuple(draw.sample(ids, 2)) for _ in range(8)]
    everything = rows + [(a, b, float("inf")) for a, b in joins]
    ours = cuts.cut(
        [r[:2] for r in everything], [r[2] for r in everything], [[ids[0]], [ids[-1]]], disallowIsolating=False
    )
    name = {v: min(c) for c in nx.connected_components(nx.Graph(joins)) for v in c}
    if name.get(ids[0], ids[0]) == name.get(ids[-1], ids[-1]):
        assert ours["kind"] == "svSplitRequired"
        return
    graph = as_networkx([(name.get(a, a), name.get(b, b), w) for a, b, w in rows])
    assert ours["flow"] == nx.minimum_cut_value(graph, name.get(ids[0], ids[0]), name.get(ids[-1], ids[-1]))


@pytest.mark.parametrize("seed", range(15))
def test_direct_mode_is_the_cut_between_merged_labels(cuts, seed):
    ids, rows = random_graph(300 + seed, 40, 200)
    groups = [ids[:3], ids[-3:]]
    ours = cuts.cut([r[:2] for r in rows], [r[2] for r in rows], groups, mode="direct", preview=True)
    graph = as_networkx(rows)
    for group in groups:
        graph.add_edges_from((group[0], v, {"capacity": float("inf")}) for v in group[1:])
    assert ours["flow"] == nx.minimum_cut_value(graph, groups[0][0], groups[1][0])


def test_the_recorded_numbers_of_the_merge_error_are_networkxs(cuts):
    folder = FIXTURES / "merger-3x3x1"
    golden = json.loads((FIXTURES / "MANIFEST.json").read_text())["cases"]["merger-3x3x1"]["golden"]
    check_case(cuts, folder, golden["flow"], golden["directFlow"], golden["vertexCounts"])


@pytest.mark.skipif("PCG_MULTICUT_DATA" not in os.environ, reason="PCG_MULTICUT_DATA names no folder with sv_*.npy")
def test_the_real_merge_error_is_networkxs(cuts):
    folder = pathlib.Path(os.environ["PCG_MULTICUT_DATA"])
    check_case(cuts, folder, 58033.22329711914, 33030.4771, [849, 2329, 107, 13])


def check_case(cuts, folder, flow, direct_flow, vertex_counts):
    """Contracts, connects and cuts the case with NetworkX alone, and compares."""
    ours = cuts.fixture(folder)
    assert (ours["kind"], ours["vertexCounts"]) == ("cut", vertex_counts)
    assert ours["flow"] == pytest.approx(flow, rel=1e-12)
    direct = cuts.fixture(folder, mode="direct")
    assert direct["kind"] == "rejected"
    assert direct["flow"] == pytest.approx(direct_flow, rel=1e-8)

    edges, affinities, sources, sinks = (
        np.load(folder / f"sv_{name}.npy") for name in ("edges", "affinity", "sources", "sinks")
    )
    pairs = [(int(a), int(b)) for a, b in edges]
    joined = nx.Graph(pair for pair, w in zip(pairs, affinities) if np.isinf(w))
    name = {v: min(c) for c in nx.connected_components(joined) for v in c}
    rows = [(name.get(a, a), name.get(b, b), w) for (a, b), w in zip(pairs, affinities) if not np.isinf(w)]
    graph = as_networkx(rows)
    strongest = {}
    for a, b, w in rows:
        strongest[frozenset((a, b))] = max(w, strongest.get(frozenset((a, b)), 0))
    groups = [[name.get(int(v), int(v)) for v in group] for group in (sources, sinks)]
    sides = []
    for own, other in (groups, groups[::-1]):
        free = graph.subgraph(set(graph) - set(other))
        length = lambda a, b, _: 1 / (strongest[frozenset((a, b))] + np.finfo(float).eps)
        sides.append([v for label in own[1:] for v in nx.dijkstra_path(free, own[0], label, weight=length)])
    augmented = graph.copy()
    for path in sides:
        augmented.add_edges_from((path[0], v, {"capacity": float("inf")}) for v in path[1:])
    value, _ = nx.minimum_cut(
        augmented, sides[0][0], sides[1][0], flow_func=nx.algorithms.flow.boykov_kolmogorov
    )
    assert ours["flow"] == pytest.approx(value, rel=1e-12)

    removed = {frozenset(pair) for pair in ours["edges"]}
    assert removed <= {frozenset(pair) for pair in pairs}
    left = nx.Graph(pair for pair in pairs if frozenset(pair) not in removed)
    parts = sorted(sorted(part) for part in nx.connected_components(left))
    assert parts == sorted(ours["parts"])
