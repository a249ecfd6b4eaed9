"""Starts our side of the multicut interop tests once and talks to it line by line."""

import pathlib

import pytest
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "peer.mjs"


class OurCuts(NodePeer):
    """The Node process that cuts with @pcg/multicut. Ids are whole numbers here."""

    def cut(self, edges, affinities, groups, **options):
        """A result of multicut with pairs as tuples."""
        result = self.call(
            "cut",
            edges=[str(v) for pair in edges for v in pair],
            affinities=["inf" if w == float("inf") else float(w) for w in affinities],
            groups=[[str(v) for v in group] for group in groups],
            options=options,
        )
        return self.tidy(result)

    def fixture(self, folder, **options):
        return self.tidy(self.call("fixture", folder=str(folder), options=options))

    @staticmethod
    def tidy(result):
        if "edges" in result:
            flat = [int(v) for v in result["edges"]]
            result["edges"] = list(zip(flat[::2], flat[1::2]))
            result["parts"] = [[int(v) for v in part] for part in result["parts"]]
        return result


@pytest.fixture(scope="session")
def cuts(tmp_path_factory):
    side = OurCuts(SCRIPT, tmp_path_factory.mktemp("cuts"))
    yield side
    side.close()
