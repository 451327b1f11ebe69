"""Many different priorities in few requests.

The Data Manager's action `add_data_field` sets one value on any set of tasks. One request for
each value is slow when all values differ; so the first digits are set with letters after them, as
in "0.35ab", and then the digits of each letter by one request that replaces it. The server takes
time for each task of a request and for the request itself, so the digits are cut where both
together cost least. An order of 20,000 tasks takes 48 requests and writes each task four times.
Begun again from its first request, the sequence ends in the same state.

Each letter is followed by a mark of the run, so that runs of two machines at once don't replace
each other's letters: each text is then of one run or the other, and what isn't whole shows it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import islice, pairwise, product
from typing import Literal

MOST_IDS = 10_000  # SQLite takes at most 32,766 values in one statement
_HEAD = 3  # "0." and the first digit
_REQUEST = 600  # changed tasks that a request is worth: 100 by the clock, but some servers count
_EVEN = 1000  # tasks up to which priorities have even distances
_LARGEST_BASE = 50  # two digits for a figure, none of them "00"
_FRONT = 24  # tasks that are next soonest; they take a request each
_LONGEST = 14  # signs of a priority that is kept; between longer ones there is ever less room
_PRIORITY = re.compile(r"[01]\.\d{2,}", re.ASCII)
_HALF = re.compile(r"[01]\.(?=.*[a-z])[\da-z]+", re.ASCII)
_LETTERS, _MARKS = "abcdefghijklmnopqrst", "uvwxyz"  # no part of a text is taken for another


@dataclass(frozen=True)
class SetField:
    """One request: this value on these tasks.

    Attributes:
        ids: of the tasks, never empty.
        value: the text or number, or an expression of the Data Manager.
        kind: what `value` is.
    """

    ids: tuple[int, ...]
    value: str | float
    kind: Literal["String", "Number", "Expression"] = "String"


def priority_texts(n: int) -> list[str]:
    """1 − (rank − 1)/n for rank 1 to n, as texts of one width that all differ.

    Texts of one width sort alike on every database; numbers do not.

    Example:
        >>> priority_texts(3)
        ['1.0000', '0.6667', '0.3333']
    """
    places = max(4, len(str(max(n - 1, 0))))
    unit = 10**places
    rounded = [(2 * unit * k + n) // (2 * n) for k in range(n, 0, -1)]
    return [f"{value // unit}.{value % unit:0{places}d}" for value in rounded]


def stepped_texts(n: int) -> list[str]:
    """Falling texts of one width that few requests can write.

    They are the largest numbers of a few figures in a small base, each figure as two digits: 12
    different ones are enough for 20,000 texts of four figures.

    Args:
        n: how many.

    Example:
        >>> stepped_texts(5)
        ['0.99', '0.79', '0.59', '0.39', '0.19']
    """
    ways = []
    for base in range(2, _LARGEST_BASE + 1):
        figures = 1
        while base**figures < n:
            figures += 1
        ways.append((figures * (base * _REQUEST + n), base, figures))
    _, base, figures = min(ways)
    digits = [f"{figure * 100 // base - 1:02d}" for figure in range(base, 0, -1)]
    return ["0." + "".join(row) for row in islice(product(digits, repeat=figures), n)]


def texts_around(
    n: int, fixed: Mapping[int, str], bounds: Mapping[int, str] | None = None
) -> list[str]:
    """Priorities of n ranks, of which some have theirs already and keep it.

    Args:
        n: how many.
        fixed: the priority of a position, from 0; one that contradicts those before it bounds
            nothing, but no other rank gets it.
        bounds: those of the fixed ones that bound the others, falling; when None, see above.

    Returns:
        The priorities of the other positions, falling, and between those that are fixed.

    Example:
        >>> texts_around(3, {0: "0.7500"})
        ['0.500000', '0.250000']
    """
    if not fixed:
        return priority_texts(n)
    values = {p: Fraction(text) for p, text in fixed.items() if _PRIORITY.fullmatch(text)}
    anchors = [(p, values[p]) for p in sorted(bounds or ())]
    for position in sorted(values) if bounds is None else ():
        before = range(position) if not anchors else ()
        highest = anchors[-1][1] if anchors else Fraction(1)
        room = values[position] < highest or (not anchors and all(p in fixed for p in before))
        if 0 < values[position] <= highest and room:
            anchors.append((position, values[position]))
    anchors.append((n, Fraction(0)))
    start, low = anchors[0]
    free = sum(position not in fixed for position in range(start))
    wanted = [1 - (1 - low) * k / free for k in range(free)]
    for (start, high), (end, low) in pairwise(anchors):
        free = sum(position not in fixed for position in range(start + 1, end))
        wanted += [high - (high - low) * k / (free + 1) for k in range(1, free + 1)]
    places = max(4, len(str(n))) + 2
    while True:
        unit = 10**places
        numbers = [int(value * unit) for value in wanted]
        made = {Fraction(number, unit) for number in numbers}
        if len(made) == len(numbers) and 0 not in made and not made & {*values.values()}:
            return [f"{number // unit}.{number % unit:0{places}d}" for number in numbers]
        places += 1
        wanted = [value - Fraction(1, 3 * 10**places) for value in wanted]


def next_priorities(now: Sequence[object], held: Set[int] = frozenset()) -> list[str]:
    """Falling priorities of an order, most of them as they are.

    Whatever is in the right order keeps its priority, so that a ranking of which little moved is
    written in a few requests; the others go in between.

    Args:
        now: what each rank has, next first; anything but a priority counts as none.
        held: positions, from 0, that keep theirs even in the wrong order.

    Returns:
        The priority of each rank: texts that all differ, and, but for those held in the wrong
        order, fall within (0, 1].

    Example:
        >>> next_priorities(["0.9000", "0.7000", None, "0.8000", "0.2500"])
        ['0.9000', '0.866666', '0.833333', '0.8000', '0.2500']
    """
    texts = {p: str(text) for p, text in enumerate(now) if _is_usable(text)}
    values = {p: Fraction(text) for p, text in texts.items()}
    fixed = {p: texts[p] for p in held if p in texts}
    taken = {values[p] for p in fixed}
    able = {p: value for p, value in values.items() if p in fixed or value not in taken}
    kept = {p: texts[p] for p in longest_fall(able)}
    if 2 * len(kept) < len(now) or max(map(len, kept.values()), default=0) > _LONGEST:
        if len(now) > _EVEN:
            theirs = {values[p] for p in fixed}
            made = stepped_texts(len(now) + len(fixed))
            others = iter([text for text in made if not theirs or Fraction(text) not in theirs])
            return [fixed.get(p) or next(others) for p in range(len(now))]
        kept = {}  # to number all of them takes no more requests
    free = iter(texts_around(len(now), {**fixed, **kept}, kept or None))
    return [fixed.get(p) or kept.get(p) or next(free) for p in range(len(now))]


def _is_usable(text: object) -> bool:
    return isinstance(text, str) and bool(_PRIORITY.fullmatch(text)) and 0 < Fraction(text) <= 1


def longest_fall(values: Mapping[int, Fraction]) -> list[int]:
    """The positions of the longest falling part, by patience sorting.

    Args:
        values: in (0, 1], by position; one that is 1 can only be the first position's.
    """
    ends: list[Fraction] = []  # the negated last value of the best part of each length
    last: list[int] = []
    before: dict[int, int] = {}
    for position in sorted(values):
        value = -values[position]
        if value == -1 and position:
            continue  # nothing goes above it
        length = bisect_left(ends, value)
        before[position] = last[length - 1] if length else -1
        ends[length : length + 1] = [value]
        last[length : length + 1] = [position]
    chosen = []
    position = last[-1] if last else -1
    while position >= 0:
        chosen.append(position)
        position = before[position]
    return chosen[::-1]


def mark_of(run: str) -> str:
    """The letters that tell the unfinished priorities of a run from those of another."""
    return "".join(_MARKS[byte % len(_MARKS)] for byte in sha256(run.encode()).digest()[:3])


def requests_for(targets: Mapping[int, str | float], mark: str = "") -> list[SetField]:
    """The requests that give each task its value, in order.

    Raised priorities are written one by one, the first task's first, so that after each request
    the tab begins as it will.

    Args:
        targets: task id to text or number.
        mark: of the run.
    """
    alike: dict[int, dict[int, str]] = defaultdict(dict)
    requests: list[SetField] = []
    others: dict[int, str | float] = {}
    for task, value in targets.items():
        if isinstance(value, str) and _PRIORITY.fullmatch(value):
            alike[len(value)][task] = value
        else:
            others[task] = value
    requests += _one_each(others)
    for width in sorted(alike):
        requests += _by_pieces(alike[width], mark)
    return requests


def front_of(targets: Mapping[int, str | float], now: Mapping[int, object]) -> dict[int, str]:
    """The first tasks of a new order, if they are to be above all others until these are numbered.

    So people are served by the new order long before all of a large project is numbered.

    Args:
        targets: task id to text or number, of those that change.
        now: what each task has that people are served.

    Returns:
        Their part of the targets; empty where few change, where no order was there before, or where
        others stay above.
    """
    texts = {t: v for t, v in targets.items() if isinstance(v, str) and _PRIORITY.fullmatch(v)}
    if len(texts) <= _EVEN or not any(map(_is_usable, now.values())):
        return {}
    stay = max((str(v) for t, v in now.items() if t not in targets and _is_usable(v)), default="")
    front = sorted(texts, key=lambda task: texts[task], reverse=True)[:_FRONT]
    return {t: texts[t] for t in front if stay < texts[t] < "1"}


def raised(text: str, mark: str) -> str:
    """A text for a priority that sorts above all others, also above unfinished ones.

    Args:
        text: the priority.
        mark: of the run.

    Example:
        >>> raised("0.9999", "uvw")
        '1.uvw9999'
    """
    return f"1.{mark}{text[2:]}"


def lowered(value: object, mark: str) -> str | None:
    """The priority that a raised text stands for; None if the value is none of this run's.

    Example:
        >>> lowered("1.uvw9999", "uvw"), lowered("0.9999", "uvw")
        ('0.9999', None)
    """
    if not (isinstance(value, str) and mark and value.startswith(f"1.{mark}")):
        return None
    return f"0.{value[2 + len(mark) :]}"


def lowering(tasks: Iterable[int], mark: str) -> SetField:
    """The request that makes priorities of raised texts.

    Args:
        tasks: that have one, 24 at most.
        mark: of the run.
    """
    return SetField(tuple(sorted(tasks)), f'replace("1.{mark}","0.")', "Expression")


def is_half(value: object) -> bool:
    """Whether a value is what a broken write leaves of a priority: digits, and letters for others.

    Example:
        >>> is_half("0.32bc"), is_half("0.3b57"), is_half("0.3257"), is_half("cat")
        (True, True, False, False)
    """
    return isinstance(value, str) and bool(_HALF.fullmatch(value))


def _one_each(targets: Mapping[int, str | float]) -> list[SetField]:
    groups: dict[str | float, list[int]] = defaultdict(list)
    for task, value in targets.items():
        groups[value].append(task)
    return [
        SetField(ids, value, "String" if isinstance(value, str) else "Number")
        for value in sorted(groups, key=str, reverse=True)
        for ids in _chunks(groups[value])
    ]


def _by_pieces(targets: Mapping[int, str], mark: str) -> list[SetField]:
    """The requests for priorities of one width: their first digits, then a piece a letter."""
    cuts = _cheapest_cuts([*targets.values()])
    letters = [letter + mark for letter in _LETTERS[: len(cuts) - 2]]
    heads = {task: value[: cuts[1]] + "".join(letters) for task, value in targets.items()}
    requests = _one_each(heads)
    for letter, start, end in zip(letters, cuts[1:], cuts[2:], strict=False):
        groups: dict[str, list[int]] = defaultdict(list)
        for task, value in targets.items():
            groups[value[start:end]].append(task)
        requests += [
            SetField(ids, f'replace("{letter}","{digits}")', "Expression")
            for digits in sorted(groups, reverse=True)
            for ids in _chunks(groups[digits])
        ]
    return requests


def _cheapest_cuts(texts: Sequence[str]) -> list[int]:
    """Where to cut texts of one width into the pieces that the server writes fastest.

    Returns:
        The places of the cuts, from 0 to the width.
    """
    width = len(texts[0])
    best: dict[int, tuple[int, list[int]]] = {0: (0, [0])}
    for end in range(_HEAD, width + 1):
        ways = []
        for start, (so_far, cuts) in best.items():
            values = len({text[start:end] for text in texts})
            ways.append((so_far + values * _REQUEST + len(texts), [*cuts, end]))
        best[end] = min(ways)
    return best[width][1]


def _chunks(ids: Iterable[int]) -> list[tuple[int, ...]]:
    rows = sorted(ids)
    return [tuple(rows[i : i + MOST_IDS]) for i in range(0, len(rows), MOST_IDS)]
