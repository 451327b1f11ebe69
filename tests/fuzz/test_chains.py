"""Runs, undos and resumes of two configurations on one ranking file, killed now and then."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.runs.undo import resume, runs, undo
from tests.fuzz.campaign import Campaign
from tests.fuzz.deaths import forked, left_over, warm

CONFIGS = ("a.yaml", "b.yaml")
N_STEPS = 8


class Chain:
    """A folder with two configurations, and what was in the ranking file before each run."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder, self.rng = folder, rng
        self.before: dict[str, bytes | None] = {}
        lines = [{"item_id": str(n), "probabilities": [p, 1 - p]} for n, p in enumerate((0.9, 0.6))]
        (folder / "p.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        for number, name in enumerate(CONFIGS, 1):
            states = rng.choice(["", f"state: s{number}\n"])
            (folder / name).write_text(
                "source: {adapter: files, path: p.jsonl}\nwrite: {output: r.csv}\n"
                f"report: {{path: null}}\nselection: {{budget: {number}}}\n{states}"
            )
        if rng.random() < 0.5:
            (folder / "r.csv").write_text("of somebody\n")

    def content(self) -> bytes | None:
        output = self.folder / "r.csv"
        return output.read_bytes() if output.exists() else None

    def statuses(self) -> dict[str, str]:
        found = {}
        for name in CONFIGS:
            found |= {one.run_id: one.status for one in runs(self.folder / name, every=True)}
        return found

    def step(self) -> None:
        """One action, which may be killed; then the file is old, new, or what a refusal left."""
        name = self.rng.choice(CONFIGS)
        what = self.rng.choice(["run", "run", "undo", "undo", "resume"])
        calls: dict[str, Any] = {"run": labelnext.run, "undo": undo, "resume": resume}
        at = self.rng.randint(1, 40) if self.rng.random() < 0.4 else 0
        known, there = self.statuses(), self.content()
        said = forked(self.folder, lambda: calls[what](name), at, "killed" if at else "")
        assert "fault" not in said, said
        now, after = self.content(), self.statuses()
        for run_id in after.keys() - known.keys():
            self.before[run_id] = there
        changed = [i for i, status in after.items() if known.get(i) != status]
        assert len(changed) <= 1
        if "refused" in said:
            assert now == there, f"{what} of {name} was refused, but it changed the file: {said}"
        elif what == "undo" and "killed" not in said:
            (undone,) = changed
            assert after[undone] == "undone"
            # A run that broke off may have written nothing, and another one since.
            right = [self.before[undone], *([there] if known[undone] == "broken" else [])]
            assert now in right, f"undo of {name} put back something else"
        elif what == "undo" and now != there:
            assert now in self.before.values()


@pytest.mark.filterwarnings("ignore::labelnext.errors.LabelnextWarning")  # of one target
@pytest.mark.skipif(not hasattr(os, "fork"), reason="each step is a fork")
def test_a_chain_of_two_configurations_never_puts_back_what_is_not_there(
    tmp_path: Path, campaign: Campaign
) -> None:
    warm()

    def trial(rng: random.Random) -> str:
        folder = tmp_path / "chain"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        chain = Chain(folder, rng)
        for _ in range(N_STEPS):
            chain.step()
        for name in CONFIGS:
            said = forked(folder, lambda name=name: labelnext.run(name))
            assert "fault" not in said, said
        assert left_over(folder) == []
        return "settled"

    campaign.run(6, trial)
