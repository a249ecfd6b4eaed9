"""Ingests a segmentation, serves it, and keeps a plain account of what its objects are at any time."""

import datetime
import functools
import json
import os
import pathlib
import signal
import subprocess

import fastremap
import numpy as np
from caveclient.auth import AuthClient
from caveclient.chunkedgraph import ChunkedGraphClient
from cloudvolume import CloudVolume

ROOT = pathlib.Path(__file__).parents[2]
REAL = ROOT.parent / "shared/data/segmentation-small"
TABLE = "cortex.v1-a"
TOKEN = "0123456789abcdef"
CHUNK = (64, 64, 64)


def make_volume(folder):
    """Tissue-like labels above 2^53 in a volume of odd size and offset; one label lies in two distant pieces."""
    rng = np.random.default_rng(7)
    size, offset = (150, 131, 70), (5, 1000, 17)
    seeds = rng.uniform(0, size, (40, 3))
    axes = np.ogrid[: size[0], : size[1], : size[2]]
    distance = np.full(size, np.inf, np.float32)
    labels = np.zeros(size, np.uint64)
    for number, seed in enumerate(seeds):
        here = sum(((axis - at) * scale) ** 2 for axis, at, scale in zip(axes, seed, (1, 1, 2.5))).astype(np.float32)
        nearer = here < distance
        distance[nearer], labels[nearer] = here[nearer], 2**60 + 2 * number + 1
    labels[distance > 900] = 0
    labels[:6, :6, :6] = labels[-6:, -6:, -6:] = 2**64 - 2
    info = CloudVolume.create_new_info(
        1, "segmentation", "uint64", "compressed_segmentation", (8, 8, 40), offset, size, chunk_size=(32, 32, 32)
    )
    url = f"precomputed://file://{folder}"
    volume = CloudVolume(url, info=info, progress=False)
    volume.commit_info()
    volume[:] = labels[..., np.newaxis]
    return url, labels, np.array(offset)


def read_volume(folder):
    volume = CloudVolume(f"precomputed://file://{folder}", progress=False)
    return volume.cloudpath, np.asarray(volume[:])[..., 0].astype(np.uint64), np.array(volume.voxel_offset)


class Server:
    """The real programs: `pcg-ingest` once, then `pcg-graph-server` on a free port."""

    def __init__(self, url, data, options=()):
        self.data = data
        self.log = open(data.parent / "server.log", "ab")
        chunk = ",".join(map(str, CHUNK))
        ingest = ["--volume", url.removeprefix("precomputed://"), "--table", TABLE, "--chunk-size", chunk, "--json"]
        report = subprocess.run(
            ["node", str(ROOT / "apps/ingest/dist/main.js"), "--data", str(data), *ingest],
            check=True,
            stdout=subprocess.PIPE,
            stderr=self.log,
        ).stdout
        self.report = json.loads(report)
        self.start(options)

    def start(self, options=()):
        self.process = subprocess.Popen(
            ["node", str(ROOT / "apps/graph-server/dist/main.js"), "--data", str(self.data), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        ready = self.process.stdout.readline()
        assert ready.startswith("ready http://127.0.0.1:"), (self.data.parent / "server.log").read_text()[-4000:]
        self.url = ready.split()[1].rstrip("/")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code


class World:
    """The server under test beside what must be true of it: which labels make one object since when."""

    def __init__(self, url, labels, offset, data):
        self.labels, self.offset = labels, offset
        self.server = Server(url, data)
        self.client = self.connect()
        self.beginning = self.client.get_oldest_timestamp()
        present = np.unique(labels)
        self.states = [(self.beginning, {int(label): int(label) for label in present})]

    def connect(self):
        return ChunkedGraphClient(
            server_address=self.server.url, table_name=TABLE, auth_client=AuthClient(token=TOKEN)
        )

    def volume(self, **options):
        source = f"graphene://{self.server.url}/segmentation/table/{TABLE}"
        return CloudVolume(source, secrets=TOKEN, use_https=False, progress=False, **options)

    @functools.cached_property
    def supervoxels(self):
        return np.asarray(self.volume()[:])[..., 0]

    def agglomerated(self, **options):
        volume = self.volume()
        return np.asarray(volume.download(volume.bounds, agglomerate=True, **options))[..., 0]

    def objects(self, time=None):
        """Which voxels make one object, by the plain account."""
        state = [state for since, state in self.states if time is None or since <= time][-1]
        keys = np.array(sorted(state), np.uint64)
        values = np.array([state[int(key)] for key in keys], np.uint64)
        return values[np.searchsorted(keys, self.labels)]

    def touching(self):
        """A voxel pair of two objects that lie side by side: positions in the volume."""
        objects = self.objects()
        differ = (objects[:-1] != objects[1:]) & (objects[:-1] != 0) & (objects[1:] != 0)
        places = np.argwhere(differ)
        place = places[len(places) // 2]
        return place, place + (1, 0, 0)

    def merge(self, client=None):
        """Joins two objects that touch; returns the answer and the old objects' account names."""
        a, b = self.touching()
        supervoxels = self.supervoxels
        answer = (client or self.client).do_merge(
            [supervoxels[tuple(a)], supervoxels[tuple(b)]], [a + self.offset, b + self.offset], resolution=(8, 8, 40)
        )
        time = self.client.get_root_timestamps(answer["new_root_ids"])[0]
        objects = self.objects()
        old = int(objects[tuple(a)]), int(objects[tuple(b)])
        state = {label: old[0] if name == old[1] else name for label, name in self.states[-1][1].items()}
        self.states.append((time, state))
        return answer, (a, b), time


def same_partition(a, b):
    """Whether two label volumes differ in names only, and agree on the background."""
    a, b = (fastremap.renumber(x.ravel().astype(np.uint64), preserve_zero=True)[0] for x in (a, b))
    pairs = fastremap.unique(a.astype(np.uint64) * np.uint64(2**32) + b)
    left, right = pairs >> np.uint64(32), pairs & np.uint64(2**32 - 1)
    one_to_one = len(np.unique(left)) == len(np.unique(right)) == len(pairs)
    return one_to_one and bool(((left == 0) == (right == 0)).all())



def now():
    return datetime.datetime.now(datetime.timezone.utc)
