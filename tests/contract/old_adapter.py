"""An adapter from before there were capabilities: it subclasses and declares nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from labelnext.adapter import Context, Finding, Options, WriteOptions
from labelnext.journal import Journal, Plan, Step, carry_out, take_back
from labelnext.pool import Pool
from labelnext.ranking import Ranking


class OldPerformer:
    """One text file; written when a performer was these three methods and nothing else."""

    def __init__(self) -> None:
        self.remarks: list[str] = []  # of its own, and no method

    def snapshot(self, step: Step) -> Any:
        path = Path(step.payload["path"])
        return path.read_text() if path.exists() else None

    def perform(self, step: Step) -> None:
        Path(step.payload["path"]).write_text(step.payload["text"])

    def restore(self, step: Step, before: Any) -> list[str]:
        path = Path(step.payload["path"])
        path.unlink() if before is None else path.write_text(before)
        return []


class OldAdapter:
    """An adapter of another package that subclasses nothing and declares nothing."""

    name: ClassVar[str] = "old"
    requires: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str] = "pip install old"
    SourceOptions: ClassVar[type[Options]] = Options
    WriteOptions: ClassVar[type[WriteOptions]] = WriteOptions

    def __init__(self, folder: Path) -> None:
        self.path, self.told = folder / "order.txt", list[str]()
        self.context = Context(folder, None, lambda stage, done, total: self.told.append(stage))

    def check(self) -> list[Finding]:
        return [Finding("ok", "There are six items.")]

    def read(self) -> Pool:
        nothing = [float("nan")] * 2
        rows = [[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2], nothing]
        missing = [False] * 5 + [True]
        return Pool("abcdef", probabilities=rows, labels=[-1] * 4 + [1, -1], missing=missing)

    def plan(self, ranking: Ranking) -> Plan:
        ids = ranking.pool_order.tolist()
        payload = {"path": str(self.path), "text": " ".join(ids)}
        step = Step("text", "Write order", len(ids), payload)
        return Plan("old", "labelnext", "order.txt", (step,))

    def apply(self, plan: Plan, journal: Journal) -> None:
        carry_out(plan, journal, OldPerformer(), self.context.progress)

    def undo(self, journal: Journal) -> list[str]:
        return take_back(journal, OldPerformer())

    def close(self) -> None:
        pass
