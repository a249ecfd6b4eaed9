"""The same JSON of an http store leads TensorStore and us to the same files."""

import functools
import http.server
import threading

import pytest
import tensorstore as ts

FILES = {"root": b"0", "a b/key": b"1", "a b/k/ey": b"2", "d\u00e9/x%y": b"3", "ab": b"4"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for name, value in FILES.items():
        path = folder / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


SPECS = [
    {"base_url": "/base/"},
    {"base_url": "/base"},
    {"base_url": "/base", "path": "a b/"},
    {"base_url": "/base/", "path": "a b/k"},
    {"base_url": "/base/a%20b", "path": "k"},
    {"base_url": "/", "path": "/base/"},
    {"base_url": "", "path": "/base/a"},
    {"base_url": "/base?token=1", "path": "a"},
    {"base_url": "", "path": "base/d\u00e9/"},
    {"base_url": "/base/d%C3%A9/", "path": "x%"},
    {"base_url": "/base/", "headers": ["X-Nothing: to see"]},
]


@pytest.mark.parametrize("form", ["spec", "published"])
@pytest.mark.parametrize("members", SPECS, ids=str)
def test_both_read_the_same(ours, server, members, form):
    spec = {"driver": "http", **members, "base_url": server + members["base_url"]}
    theirs = ts.KvStore.open(spec if form == "spec" else ours.spec(spec)).result()
    found = 0
    for key in ["root", "/root", "a b/key", "key", "ey", "/ey", "b", "d\u00e9/x%y", "x%y", "y", "b/key", "absent"]:
        read = theirs.read(key).result()
        expected = read.value if read.state == "value" else None
        assert ours.read(spec, key.encode()) == expected, key
        found += expected is not None
    assert found > 0


@pytest.mark.parametrize("members", [{"base_url": "/base", "path": "/a"}, {"base_url": "/base#a"}, {"base_url": "/", "headers": ["a"]}, {"base_url": "/", "x": 1}], ids=str)
def test_both_refuse(ours, our_error, server, members):
    spec = {"driver": "http", **members, "base_url": server + members["base_url"]}
    with pytest.raises(ValueError):
        ts.KvStore.open(spec).result()
    with pytest.raises(our_error) as refusal:
        ours.spec(spec)
    assert refusal.value.code == "bad-spec"
