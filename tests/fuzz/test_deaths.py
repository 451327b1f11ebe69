"""Whatever kills a run, an undo or a resume of files, or fills the disk: no ranking is lost."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.fuzz.campaign import Campaign
from tests.fuzz.deaths import ACTIONS, ENDS, KINDS, made, tried, warm

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")


@pytest.mark.parametrize("kind", KINDS)
def test_no_death_and_no_full_disk_loses_a_ranking(
    tmp_path: Path, campaign: Campaign, kind: str
) -> None:
    warm()
    case = made(kind, tmp_path)
    points = [
        (action, end, at)
        for action in ACTIONS
        for end in ENDS
        for at in range(1, case.n_events[action] + 2)
    ]

    def trial(point: tuple[str, str, int], rng: random.Random) -> str:
        action, end, at = point
        fault = tried(case, action, end, at, rng, tmp_path)
        assert fault is None, fault
        return action

    campaign.each(points, 6, trial)
