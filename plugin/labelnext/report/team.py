"""The manager's page: who labelled how much, how far people agree, and when it will be done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from labelnext.adapter.team import Act, Work

_DAY = 86_400.0
_RECENT = 7 * _DAY
_ENOUGH = 10  # labels, to speak of a pace


@dataclass(frozen=True)
class Member:
    """What one person did.

    Attributes:
        name: of the person.
        labels: how many items they labelled.
        skips: how many they skipped.
        first: day of their first label or skip; empty if unknown.
        last: day of their last one.
    """

    name: str
    labels: int
    skips: int
    first: str
    last: str


@dataclass(frozen=True)
class Agreement:
    """How far two people give the same item the same label.

    Attributes:
        people: the two.
        items: how many items both labelled.
        same: how many of these got the same label.
    """

    people: tuple[str, str]
    items: int
    same: int


@dataclass(frozen=True)
class Pace:
    """How fast labels come in.

    Attributes:
        per_day: labels a day, over the last seven days with labels or less.
        left: how many labels are still wanted.
        end: the day on which they will be there at this pace.
    """

    per_day: float
    left: int
    end: str


def members(acts: Sequence[Act]) -> list[Member]:
    """What each person did, the most labels first."""
    by_person: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_person[act.person].append(act)
    people = []
    for name, acts_of_person in by_person.items():
        times = [act.at for act in acts_of_person if act.at is not None]
        labelled = {act.item_id for act in acts_of_person if not act.skipped}
        skipped = {act.item_id for act in acts_of_person if act.skipped}
        first, last = (_day(min(times)), _day(max(times))) if times else ("", "")
        people.append(Member(name, len(labelled), len(skipped), first, last))
    return sorted(people, key=lambda member: (-member.labels, member.name))


def agreements(acts: Sequence[Act]) -> list[Agreement]:
    """For each two people who labelled the same items, how often they agree; most items first.

    Each person's last label of an item counts.
    """
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for act in sorted(acts, key=lambda act: act.at or 0.0):
        if not act.skipped and act.said is not None:
            said[act.item_id][act.person] = act.said
    both: Counter[tuple[str, str]] = Counter()
    same: Counter[tuple[str, str]] = Counter()
    for labels in said.values():
        for pair in combinations(sorted(labels), 2):
            both[pair] += 1
            same[pair] += labels[pair[0]] == labels[pair[1]]
    pairs = [Agreement(pair, n, same[pair]) for pair, n in both.items()]
    return sorted(pairs, key=lambda entry: (-entry.items, entry.people))


def pace(acts: Sequence[Act], n_items: int, wanted: int) -> Pace | None:
    """How fast labels came in during the last week of work; None if there are too few.

    Args:
        acts: every label and skip.
        n_items: how many items there are.
        wanted: how many labels each needs.
    """
    labels = [act for act in acts if not act.skipped]
    made = Counter(act.item_id for act in labels)
    left = max(n_items * wanted - sum(min(n, wanted) for n in made.values()), 0)
    times = sorted(act.at for act in labels if act.at is not None)
    recent = [at for at in times if at > times[-1] - _RECENT]
    # The first label starts the clock.
    if len(recent) < _ENOUGH or recent[-1] <= recent[0]:
        return None
    # Nobody labels day and night: a busy first hour is no 24th of a day's work.
    per_day = (len(recent) - 1) / max(recent[-1] - recent[0], _DAY) * _DAY
    try:
        end = _day(recent[-1] + left / per_day * _DAY)
    except (OverflowError, ValueError, OSError):
        return None
    return Pace(per_day, left, end)


def work_summary(work: Work, n_items: int) -> dict[str, Any]:
    """What the manager's page shows of the work, as JSON-able data; a day is null if unknown.

    Args:
        work: what people did.
        n_items: how many items there are.
    """
    ahead = pace(work.acts, n_items, work.wanted)
    return {
        "wanted": work.wanted,
        "people": [
            {**asdict(m), "first": m.first or None, "last": m.last or None}
            for m in members(work.acts)
        ],
        "shards": [asdict(shard) for shard in work.shards],
        "agreement": [asdict(entry) for entry in agreements(work.acts)],
        "pace": None if ahead is None else asdict(ahead),
    }


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
