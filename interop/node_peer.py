"""A Node process of ours that obeys one JSON command per line and answers one JSON line each (see answer-lines.mjs)."""

import json
import subprocess


class OurError(Exception):
    """An error of our side; `code` is the stable one."""

    def __init__(self, error):
        super().__init__(f"{error['name']} {error['code']}: {error['message']}")
        self.code = error["code"]


class NodePeer:
    """Runs a script; `scratch` is a folder for the files that voxels travel in."""

    def __init__(self, script, scratch):
        self.scratch = scratch
        self.process = subprocess.Popen(
            ["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, op, **arguments):
        self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise OurError(answer["error"])
        return answer["result"]

    def dump(self, voxels, name="write.bin"):
        """A file with the voxels, x fastest."""
        path = self.scratch / name
        path.write_bytes(voxels.tobytes(order="F"))
        return str(path)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
