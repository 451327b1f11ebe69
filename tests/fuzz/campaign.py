"""Campaigns: many trials by seed, or as many as there is time for, and a line of figures for each.

    FUZZ_SEED=7 FUZZ_SECONDS=600 python -m pytest tests/fuzz

Without FUZZ_SECONDS each campaign has its own small number of trials. The seconds are shared out
among all campaigns that were asked for. A trial that went wrong names its seed: with FUZZ_TRIAL set
to it, it is tried alone.
"""

from __future__ import annotations

import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, TypeVar

import pytest

_SHOWN = int(os.environ.get("FUZZ_SHOWN", "5"))  # faults whose story is told
_SHARE = pytest.StashKey[float]()

T = TypeVar("T")

#: One trial: what became of it, in a word such as "ranked", "refused" or "settled".
Trial = Callable[[random.Random], str]


class Campaign:
    """Counts what became of trials.

    Args:
        name: of its trials' seeds.
        seconds: how long to try; None for the number that each campaign knows.

    Attributes:
        outcomes: how often each one came.
        faults: the story of each trial that went wrong.
    """

    def __init__(self, name: str, seconds: float | None) -> None:
        self.name, self.seconds = name, seconds
        self.outcomes: Counter[str] = Counter()
        self.faults: list[str] = []

    def seeds(self, quick: int) -> Iterator[str]:
        """The seeds of the trials."""
        if alone := os.environ.get("FUZZ_TRIAL"):
            yield alone
            return
        first = os.environ.get("FUZZ_SEED", "0")
        end = None if self.seconds is None else time.monotonic() + self.seconds
        for number in count() if end is not None else range(quick):
            if end is not None and time.monotonic() > end:
                return
            yield f"{first}/{self.name}/{number}"

    def run(self, quick: int, trial: Trial) -> None:
        """Try; any exception is a fault.

        Args:
            quick: how many trials, unless there are seconds.
            trial: gets its own random numbers.
        """
        for seed in self.seeds(quick):
            self._try(f"FUZZ_TRIAL={seed}", lambda seed=seed: trial(random.Random(seed)))
        self._judge()

    def each(
        self, cases: Sequence[T], quick: int, trial: Callable[[T, random.Random], str]
    ) -> None:
        """Try cases in an order by seed; the first few, or again and again while there is time."""
        order = list(cases)
        random.Random(os.environ.get("FUZZ_SEED", "0")).shuffle(order)
        for number, seed in enumerate(self.seeds(min(quick, len(order)))):
            case = order[number % len(order)]
            self._try(f"{case}, {seed}", lambda c=case, s=seed: trial(c, random.Random(s)))
        self._judge()

    def _try(self, name: str, trial: Callable[[], str]) -> None:
        try:
            self.outcomes[trial()] += 1
        except Exception:
            self.faults.append(f"{name}\n{traceback.format_exc()}")

    def _judge(self) -> None:
        assert not self.faults, "\n".join([f"{len(self.faults)} faults", *self.faults[:_SHOWN]])


@pytest.fixture
def campaign(request: pytest.FixtureRequest) -> Iterator[Campaign]:
    """The campaign of a test; its figures are printed at the end of the session."""
    made = Campaign(request.node.name, request.config.stash.get(_SHARE, None))
    yield made
    figures = {**made.outcomes, "faults": len(made.faults)}
    request.node.user_properties.append(("campaign", figures))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Share the seconds out."""
    if seconds := os.environ.get("FUZZ_SECONDS"):
        n = sum("campaign" in getattr(item, "fixturenames", ()) for item in items)
        config.stash[_SHARE] = float(seconds) / max(n, 1)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each campaign; also where its trials ran in other processes."""
    lines = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "teardown":
                lines += [
                    line_of(report.nodeid, value)
                    for name, value in report.user_properties
                    if name == "campaign"
                ]
    if lines:
        terminalreporter.section("campaigns")
        for line in sorted(lines):
            terminalreporter.write_line(line)


def line_of(name: str, figures: dict[str, int]) -> str:
    """The figures of a campaign in words.

    Example:
        >>> line_of("tests/fuzz/test_a.py::test_b", {"ranked": 2, "refused": 1, "faults": 0})
        'test_a.py::test_b: 3 tried, 2 ranked, 1 refused, 0 faults'
    """
    known = sorted(figures.keys() - {"faults"})
    parts = [f"{sum(figures.values())} tried", *(f"{figures[word]} {word}" for word in known)]
    return f"{name.rsplit('/', 1)[-1]}: {', '.join(parts)}, {figures['faults']} faults"
