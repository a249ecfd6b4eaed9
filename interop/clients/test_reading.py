"""A segmentation nobody has edited, through CAVEclient, cloud-volume and TensorStore."""

import json

import numpy as np
import pytest
import requests
import tensorstore as ts
from cc3d import connected_components
from cloudvolume import CloudVolume
from world import CHUNK, TABLE, TOKEN, now, same_partition


def test_the_info_opens_the_methods_of_the_client(world):
    client = world.connect()
    assert list(client.base_resolution) == [8, 8, 40]
    assert str(client.server_version) == "3.1.7"
    info = client.segmentation_info
    assert info["graph"]["chunk_size"] == list(CHUNK)
    assert info["scales"][0]["voxel_offset"] == list(world.offset)
    assert client.cloudvolume_path == f"graphene://{world.server.url}/segmentation/api/v1/{TABLE}"


def test_supervoxels_are_the_26_connected_pieces_of_labels_in_chunks(world):
    supervoxels = world.supervoxels
    assert ((supervoxels == 0) == (world.labels == 0)).all()
    count = 0
    narrow = np.unique(np.append(np.uint64(0), world.labels), return_inverse=True)[1]
    narrow = narrow[1:].reshape(world.labels.shape).astype(np.uint32)
    steps = [range(0, size, chunk) for size, chunk in zip(world.labels.shape, CHUNK)]
    for x in steps[0]:
        for y in steps[1]:
            for z in steps[2]:
                block = np.s_[x : x + CHUNK[0], y : y + CHUNK[1], z : z + CHUNK[2]]
                pieces = connected_components(narrow[block], connectivity=26)
                assert same_partition(pieces, supervoxels[block])
                count += pieces.max()
    assert count == len(np.unique(supervoxels)) - 1


def test_a_label_is_one_object(world):
    assert same_partition(world.agglomerated(), world.labels)
    roots = world.client.get_roots(np.unique(world.supervoxels))
    assert roots[0] == 0
    assert len(np.unique(roots)) == len(np.unique(world.labels))


def test_roots_level_2_ids_leaves_and_children_agree(world):
    supervoxels = np.unique(world.supervoxels)[1:]
    roots = world.client.get_roots(supervoxels)
    one = roots[np.argmax(np.unique(roots, return_counts=True)[1][np.searchsorted(np.unique(roots), roots)])]
    mine = supervoxels[roots == one]
    assert sorted(world.client.get_leaves(int(one))) == sorted(mine.astype(np.int64))
    assert world.client.get_root_id(int(mine[0])) == one
    assert (world.client.get_roots([one, 0, 12345]) == [one, 0, 0]).all()
    assert len(world.client.get_children(int(mine[0]))) == 0
    many = world.client.get_leaves_many([int(one), int(mine[0])])
    assert sorted(many[int(one)]) == sorted(mine.astype(np.int64)) and list(many[int(mine[0])]) == [mine[0]]

    level2 = world.client.get_leaves(int(one), stop_layer=2)
    assert set(world.client.get_roots(mine, stop_layer=2)) == set(level2.astype(np.uint64))
    assert world.client.get_root_id(int(mine[0]), level2=True) in level2
    below = np.concatenate([world.client.get_children(int(node)) for node in level2])
    assert sorted(below) == sorted(mine.astype(np.int64))
    assert list(world.client.get_minimal_covering_nodes([int(node) for node in level2])) == [one]


def test_leaves_in_a_box_are_those_of_the_chunks_it_overlaps(world):
    supervoxels = world.supervoxels
    roots = world.client.get_roots(np.unique(supervoxels))
    one = np.unique(roots)[1]
    box = np.array([[0, 70], [10, 64], [0, 65]]) + world.offset[:, None]
    chunks = supervoxels[:128, :64, :128]
    inside = [int(leaf) for leaf, root in zip(np.unique(supervoxels), roots) if root == one and leaf in chunks]
    assert sorted(world.client.get_leaves(int(one), bounds=box)) == inside
    assert len(world.client.get_leaves(int(one), bounds=box - 10_000)) == 0


def test_chunk_mappings_and_ids_decode_as_cloud_volume_reads_them(world):
    volume = world.volume()
    supervoxels = world.supervoxels
    some = np.unique(supervoxels)[1::7]
    for label in some[:5]:
        position = np.argwhere(supervoxels == label)[0]
        decoded = volume.meta.decode_label(label)
        assert decoded.level == 1
        assert tuple(position // CHUNK) == (decoded.x, decoded.y, decoded.z)
        assert (volume.meta.point_to_chunk_position(position + world.offset, mip=0) == position // CHUNK).all()
    chunk = volume.meta.encode_label(2, 0, 0, 0, 0)
    mapping = volume.get_chunk_mappings(chunk)
    here = np.unique(supervoxels[: CHUNK[0], : CHUNK[1], : CHUNK[2]])
    assert sorted(np.concatenate(list(mapping.values()))) == sorted(here[here != 0])


def test_cloud_volume_agglomerates_by_level_and_by_object(world):
    volume = world.volume()
    root = int(volume.get_roots([int(np.unique(world.supervoxels)[1])])[0])
    leaves = volume.get_leaves(root, volume.bounds, 0)
    assert sorted(leaves) == sorted(world.client.get_leaves(root))
    alone = np.asarray(volume.download(volume.bounds, segids=[root]))[..., 0]
    every = world.agglomerated()
    assert (alone == np.where(every == root, every, 0)).all()
    level2 = world.agglomerated(stop_layer=2)
    assert set(np.unique(volume.meta.decode_layer_id(level2[level2 != 0]))) == {2}


@pytest.mark.parametrize("source", ["segmentation/table", "segmentation/api/v1", "segmentation/1.0"])
def test_every_address_of_the_table_opens(world, source):
    volume = CloudVolume(
        f"graphene://{world.server.url}/{source}/{TABLE}", secrets=TOKEN, use_https=False, progress=False
    )
    assert volume.info["graph"]["n_layers"] == world.client.segmentation_info["graph"]["n_layers"]


def test_the_level_2_graph_the_subgraph_and_a_path_hang_together(world):
    supervoxels = world.supervoxels
    roots = world.client.get_roots(np.unique(supervoxels))
    names, counts = np.unique(roots[roots != 0], return_counts=True)
    root = int(names[np.argmax(counts)])
    edges = {tuple(sorted(edge)) for edge in world.client.level2_chunk_graph(root)}
    level2 = set(world.client.get_leaves(root, stop_layer=2).tolist())
    assert {node for edge in edges for node in edge} == level2
    everywhere = np.array([[0, size] for size in world.labels.shape]) + world.offset[:, None]
    assert {tuple(sorted(edge)) for edge in world.client.level2_chunk_graph(root, bounds=everywhere)} == edges

    nodes, affinities, areas = world.client.get_subgraph(root, everywhere)
    assert set(np.unique(nodes)) <= set(world.client.get_leaves(root)) and len(nodes) == len(affinities) == len(areas)
    # Pieces of one label that lie apart are joined by edges without a common face, so their area is 0.
    assert np.isinf(affinities).any() and (areas >= 0).all() and (areas[np.isinf(affinities)] > 0).all()

    volume = np.isin(supervoxels, world.client.get_leaves(root).astype(np.uint64))
    places = np.argwhere(volume) + world.offset
    start, goal = (places[0] + 0.5) * (8, 8, 40), (places[-1] + 0.5) * (8, 8, 40)
    centroids, path, failed = world.client.find_path(root, start, goal)
    assert len(centroids) == len(path) and len(failed) == 0
    assert set(path.tolist()) <= level2
    ends = world.client.get_roots([supervoxels[tuple(p - world.offset)] for p in (places[0], places[-1])], stop_layer=2)
    assert [path[0], path[-1]] == list(ends)
    assert all(tuple(sorted(edge)) in edges for edge in zip(path.tolist(), path[1:].tolist()))


def test_objects_is_a_plain_volume_for_cloud_volume_and_tensorstore(world):
    address = f"{world.server.url}/objects/{TABLE}"
    plain = CloudVolume(f"precomputed://{address}", progress=False)
    objects = np.asarray(plain[:])[..., 0]
    assert same_partition(objects, world.labels)
    assert (objects == world.agglomerated()).all()
    opened = ts.open({"driver": "neuroglancer_precomputed", "kvstore": f"{address}/"}, open=True).result()
    assert (opened.read().result()[..., 0] == objects).all()
    assert list(opened.domain.origin)[:3] == list(world.offset)


def test_nothing_has_happened_yet(world):
    root = int(world.client.get_roots([int(np.unique(world.supervoxels)[1])])[0])
    assert world.client.get_oldest_timestamp() == world.beginning < now()
    assert world.client.get_root_timestamps([root])[0] == world.beginning
    assert list(world.client.is_latest_roots([root, 5])) == [True, False]
    assert list(world.client.is_valid_nodes([root, 5, 0, -1])) == [True, False, False, False]
    assert list(world.client.get_latest_roots(root)) == [root] == list(world.client.get_original_roots(root))
    assert world.client.get_change_log(root)["n_mergers"] == 0
    table = world.client.get_tabular_change_log([root])[root]
    assert len(table) == 0 and {"operation_id", "is_merge"} <= set(table.columns)
    assert len(world.client.get_user_operations(0, timestamp_start=world.beginning)) == 0
    old, new = world.client.get_delta_roots(world.beginning)
    assert len(old) == len(new) == 0


def test_the_volume_is_served_whole(world):
    info = requests.get(f"{world.server.url}/segmentation/table/{TABLE}/info").json()
    data_dir, scale = info["data_dir"], info["scales"][0]
    assert requests.get(f"{data_dir}/info").json()["scales"] == info["scales"]
    assert requests.get(f"{data_dir}/provenance").status_code == 404
    opened = ts.open({"driver": "neuroglancer_precomputed", "kvstore": f"{data_dir}/"}, open=True).result()
    assert (opened.read().result()[..., 0] == world.supervoxels).all()
    assert json.dumps(scale["chunk_sizes"]) == json.dumps([[min(64, c) for c in CHUNK]])
