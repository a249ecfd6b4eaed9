"""A server with a token, as both clients meet it."""

import numpy as np
import pytest
import requests
from caveclient.auth import AuthClient
from caveclient.chunkedgraph import ChunkedGraphClient
from cloudvolume import CloudVolume
from world import TABLE, World, make_volume, same_partition

SECRET = "5ec2e70fa11b0d1e5"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    url, labels, offset = make_volume(folder / "volume")
    world = World(url, labels, offset, folder / "data")
    world.server.stop()
    world.server.start(["--token", SECRET, "--user", "ann"])
    yield world
    world.server.stop()


def connect(world, token):
    return ChunkedGraphClient(server_address=world.server.url, table_name=TABLE, auth_client=AuthClient(token=token))


def test_without_the_token_nothing_is_told(guarded):
    table = f"segmentation/api/v1/table/{TABLE}"
    for route in [f"segmentation/table/{TABLE}/info", f"{table}/oldest_timestamp", "api/tables"]:
        answer = requests.get(f"{guarded.server.url}/{route}")
        assert answer.status_code == 401 and answer.json()["code"] == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    with pytest.raises(requests.HTTPError, match="401"):
        CloudVolume(f"graphene://{guarded.server.url}/segmentation/table/{TABLE}", secrets="0123", use_https=False)


def test_with_it_both_clients_read_though_data_is_fetched_without(guarded):
    source = f"graphene://{guarded.server.url}/segmentation/table/{TABLE}"
    volume = CloudVolume(source, secrets=SECRET, use_https=False, progress=False)
    objects = np.asarray(volume.download(volume.bounds, agglomerate=True))[..., 0]
    assert same_partition(objects, guarded.labels)


def test_edits_carry_the_name_behind_the_token(guarded):
    guarded.client = connect(guarded, SECRET)
    guarded.volume = lambda: CloudVolume(
        f"graphene://{guarded.server.url}/segmentation/table/{TABLE}", secrets=SECRET, use_https=False, progress=False
    )
    answer, _, _ = guarded.merge()
    details = guarded.client.get_operation_details([answer["operation_id"]])
    assert details[str(answer["operation_id"])]["user"] == "ann"
