"""Merges by CAVEclient, the past through every client, and what the logs say of it."""

import concurrent.futures
import datetime

import networkx as nx
import numpy as np
import pytest
import requests
import tensorstore as ts
from caveclient.auth import AuthClient
from caveclient.chunkedgraph import ChunkedGraphClient
from cloudvolume import CloudVolume
from world import TABLE, TOKEN, now, same_partition

MICROSECOND = datetime.timedelta(microseconds=1)


@pytest.fixture(scope="module")
def edited(world):
    """The world after three merges: each answer, the voxels joined, and the commit time."""
    world.edits = [world.merge() for _ in range(3)]
    return world


def roots_at(world, places, time=None):
    return world.client.get_roots([world.supervoxels[tuple(place)] for place in places], timestamp=time)


def test_a_merge_is_visible_at_once_and_has_one_root(edited):
    for answer, places, time in edited.edits:
        assert set(answer) == {"operation_id", "new_root_ids"} and len(answer["new_root_ids"]) == 1
        assert time < now()
    answer, places, _ = edited.edits[-1]
    assert set(roots_at(edited, places)) == set(answer["new_root_ids"])
    operations = [answer["operation_id"] for answer, _, _ in edited.edits]
    assert operations == sorted(set(operations))


def test_every_moment_shows_the_objects_of_its_time(edited):
    times = [time for _, _, time in edited.edits]
    moments = [edited.beginning, *times, *(time - MICROSECOND for time in times), None]
    for moment in moments:
        objects = edited.objects(moment)
        # cloud-volume sends whole seconds, rounded up: give it the instant through the pinned table instead.
        name = TABLE if moment is None else f"{TABLE}@{moment.timestamp():.6f}"
        plain = CloudVolume(f"precomputed://{edited.server.url}/objects/{name}", progress=False)
        assert same_partition(np.asarray(plain[:])[..., 0], objects), moment
        roots = edited.client.get_roots(edited.supervoxels.ravel()[::37], timestamp=moment)
        assert same_partition(roots, objects.ravel()[::37]), moment


def test_cloud_volume_downloads_the_past_by_whole_seconds(edited):
    before = int(edited.beginning.timestamp())
    assert not edited.agglomerated(timestamp=before - 10).any()
    assert same_partition(edited.agglomerated(), edited.objects())
    assert same_partition(edited.agglomerated(timestamp=int(now().timestamp()) + 100), edited.objects())
    address = f"{edited.server.url}/objects/{TABLE}@{before + 10**6}/"
    opened = ts.open({"driver": "neuroglancer_precomputed", "kvstore": address}, open=True).result()
    assert same_partition(opened.read().result()[..., 0], edited.objects())


def test_roots_are_found_at_exactly_their_own_timestamps(edited):
    for answer, places, _ in edited.edits:
        root = answer["new_root_ids"][0]
        begin = edited.client.get_root_timestamps([root])[0]
        assert set(roots_at(edited, places, begin)) == {root}
        assert root not in roots_at(edited, places, begin - MICROSECOND)
        assert list(edited.client.is_latest_roots([root], timestamp=begin)) == [True]
        end = edited.client.get_root_timestamps([root], latest=True)[0]
        assert list(edited.client.is_latest_roots([root], timestamp=end)) == [True]


def test_old_and_new_roots_lead_to_each_other(edited):
    answer, places, time = edited.edits[0]
    old = roots_at(edited, places, time - MICROSECOND)
    new = answer["new_root_ids"][0]
    present = roots_at(edited, places)
    assert list(edited.client.is_latest_roots([*old, *present])) == [False, False, True, True]
    for root in old:
        assert list(edited.client.get_latest_roots(int(root))) == [present[0]]
        assert list(edited.client.get_latest_roots(int(root), timestamp=time)) == [new]
        assert edited.client.suggest_latest_roots(int(root), stop_layer=1) == present[0]
    assert sorted(edited.client.get_original_roots(new)) == sorted(old)
    assert sorted(edited.client.get_latest_roots(new, timestamp=edited.beginning)) == sorted(old)
    past = edited.client.get_past_ids([new], timestamp_past=edited.beginning)
    assert sorted(past["past_id_map"][new]) == sorted(old.tolist())
    # Exactly at the edit the new root stands, a microsecond before it the old ones do.
    for moment, roots in ((time, [new]), (time - MICROSECOND, old.tolist())):
        past = edited.client.get_past_ids([new], timestamp_past=moment, timestamp_future=time)
        assert sorted(past["past_id_map"][new]) == sorted(roots)
        assert past["future_id_map"] == dict.fromkeys(roots, new)
        assert sorted(edited.client.get_latest_roots(new, timestamp=moment)) == sorted(roots)
        assert sorted(edited.client.get_original_roots(new, timestamp_past=moment)) == sorted(roots)
    graph = edited.client.get_lineage_graph(int(old[0]), timestamp_future=now(), as_nx_graph=True)
    assert nx.has_path(graph, int(old[0]), int(present[0]))
    leaves = [edited.client.get_leaves(int(root)) for root in (*old, new)]
    assert sorted(np.concatenate(leaves[:2])) == sorted(leaves[2])


def test_the_logs_tell_the_merges(edited):
    answer, places, time = edited.edits[0]
    new, operation = answer["new_root_ids"][0], answer["operation_id"]
    old = sorted(roots_at(edited, places, time - MICROSECOND).tolist())
    summary = edited.client.get_change_log(new)
    assert (summary["n_mergers"], summary["n_splits"], summary["operations_ids"]) == (1, 0, [operation])
    assert sorted(summary["past_ids"]) == old
    row = edited.client.get_tabular_change_log([new])[new].iloc[0]
    assert (row.operation_id, row.is_merge, row.after_root_ids) == (operation, True, [new])
    assert row.timestamp == int(time.timestamp() * 1000) and sorted(row.before_root_ids) == old
    unfiltered = edited.client.get_tabular_change_log([new], filtered=False)[new]
    assert unfiltered.in_neuron.all() and unfiltered.is_relevant.all()

    voxels = [[int(c) for c in place + edited.offset] for place in places]
    details = edited.client.get_operation_details([a["operation_id"] for a, _, _ in edited.edits])[str(operation)]
    assert details["source_coords"] + details["sink_coords"] == voxels
    supervoxels = [int(edited.supervoxels[tuple(place)]) for place in places]
    assert details["source_ids"] + details["sink_ids"] == supervoxels
    ends = [edited.client.get_roots(edge, timestamp=time - MICROSECOND).tolist() for edge in details["added_edges"]]
    assert len(ends) > 0 and all(sorted(edge) == old for edge in ends)
    assert (details["roots"], details["user"]) == ([new], "anonymous")
    assert datetime.datetime.fromisoformat(details["timestamp"]) == time
    log = edited.client.get_merge_log(new)
    assert log == {"merge_edges": [details["added_edges"]], "merge_edge_coords": [[[voxels[0]], [voxels[1]]]]}

    everyone = edited.client.get_user_operations(0, timestamp_start=edited.beginning)
    assert list(everyone.operation_id) == [a["operation_id"] for a, _, _ in edited.edits]
    later = edited.client.get_user_operations(0, timestamp_start=time + MICROSECOND)
    assert operation not in list(later.operation_id) and len(later) == 2


def test_the_difference_between_two_moments(edited):
    times = [edited.beginning, *(time for _, _, time in edited.edits)]
    supervoxels = np.unique(edited.supervoxels)[1:]
    for begin in times:
        for end in times:
            if begin >= end:
                continue
            before = set(edited.client.get_roots(supervoxels, timestamp=begin))
            after = set(edited.client.get_roots(supervoxels, timestamp=end))
            old, new = edited.client.get_delta_roots(begin, end)
            assert (set(old), set(new)) == (before - after, after - before)


def test_refusals_are_4xx_with_a_message_and_change_nothing(edited):
    answer, (a, b), _ = edited.edits[0]
    before = edited.client.get_user_operations(0, timestamp_start=edited.beginning)
    ids = [int(edited.supervoxels[tuple(place)]) for place in (a, b)]
    coords = [a + edited.offset, b + edited.offset]
    cases = [
        (ids, coords, "same-object"),
        ([ids[0], ids[0]], coords, "same-supervoxel"),
        ([ids[0], 12345], coords, "unknown-id"),
        ([ids[0], ids[1]], [coords[0], coords[1] - 10**6], "outside-volume"),
        ([roots_at(edited, [a], edited.beginning)[0], ids[1]], coords, "superseded"),
    ]
    for supervoxels, points, reason in cases:
        with pytest.raises(requests.HTTPError, match=rf'^400 .*"message":".+"reason":"{reason}"'):
            edited.client.do_merge(supervoxels, points, resolution=(8, 8, 40))
    after = edited.client.get_user_operations(0, timestamp_start=edited.beginning)
    assert list(after.operation_id) == list(before.operation_id)
    pinned = ChunkedGraphClient(
        server_address=edited.server.url,
        table_name=f"{TABLE}@{edited.beginning.timestamp():.6f}",
        auth_client=AuthClient(token=TOKEN),
    )
    with pytest.raises(requests.HTTPError, match="403"):
        pinned.do_merge(ids, coords, resolution=(8, 8, 40))


def test_a_root_and_a_point_near_it_are_enough(edited):
    a, b = edited.touching()
    ids = [int(root) for root in roots_at(edited, (a, b))]
    off = np.array([(0.5, 0.5, 0.5), (0.9, 0.1, 0.5)])
    points = [place + edited.offset + fraction for place, fraction in zip((a, b), off)]
    answer = edited.client.do_merge(ids, points, resolution=(8, 8, 40))
    objects = edited.objects()
    old = int(objects[tuple(a)]), int(objects[tuple(b)])
    state = {label: old[0] if name == old[1] else name for label, name in edited.states[-1][1].items()}
    edited.states.append((edited.client.get_root_timestamps(answer["new_root_ids"])[0], state))
    assert same_partition(edited.agglomerated(), edited.objects())


def test_merges_by_several_people_at_once_all_succeed(edited):
    objects = edited.objects()
    differ = (objects[:, :-1] != objects[:, 1:]) & (objects[:, :-1] != 0) & (objects[:, 1:] != 0)
    used, pairs = set(), []
    for place in np.argwhere(differ)[::11]:
        names = {int(objects[tuple(place)]), int(objects[tuple(place + (0, 1, 0))])}
        if not names & used:
            used |= names
            pairs.append((place, place + (0, 1, 0)))
    pairs = pairs[:6]
    assert len(pairs) >= 2

    def merge(pair):
        client = edited.connect()
        ids = [int(edited.supervoxels[tuple(place)]) for place in pair]
        return client.do_merge(ids, [place + edited.offset for place in pair], resolution=(8, 8, 40))

    with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
        answers = list(pool.map(merge, pairs))
    roots = [answer["new_root_ids"][0] for answer in answers]
    assert len(set(roots)) == len(pairs)
    for pair, root in zip(pairs, roots):
        assert set(roots_at(edited, pair)) == {root}
    state = dict(edited.states[-1][1])
    for a, b in pairs:
        x, y = int(objects[tuple(a)]), int(objects[tuple(b)])
        state = {label: x if name == y else name for label, name in state.items()}
    edited.states.append((max(edited.client.get_root_timestamps(roots)), state))
    assert same_partition(edited.agglomerated(), edited.objects())


def test_a_restart_forgets_nothing(edited):
    moment = edited.edits[1][2]
    before = edited.client.get_roots(np.unique(edited.supervoxels), timestamp=moment)
    assert edited.server.stop() == 0
    edited.server.start()
    edited.client = edited.connect()
    assert (edited.client.get_roots(np.unique(edited.supervoxels), timestamp=moment) == before).all()
    assert same_partition(edited.agglomerated(), edited.objects())
