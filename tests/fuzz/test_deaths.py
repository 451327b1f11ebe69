"""Whatever kills a run, an undo or a resume of files, or fills the disk: no ranking is lost."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz.deaths import ACTIONS, ENDS, KINDS, trials

# A round is one trial of each action and end; `make torture` tries as many as it is told.
_ROUNDS = {"csv": 1, "jsonl": 1, "parquet": 1, "folder": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")
@pytest.mark.parametrize("kind", KINDS)
def test_no_death_and_no_full_disk_loses_a_ranking(tmp_path: Path, kind: str) -> None:
    n = _ROUNDS[kind] * len(ACTIONS) * len(ENDS)
    assert [t for t in islice(trials(0, tmp_path, (kind,)), n) if t[1] is not None] == []
