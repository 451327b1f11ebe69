"""Options of a wrong kind, in every function and method: one InvalidInput that names the option."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest

import labelnext
from labelnext import Pool, rank
from labelnext.acquisition import ACQUISITIONS, AcquisitionFunction, get_acquisition
from labelnext.acquisition.function import predictions_of
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.pool import Objects
from labelnext.selection import SELECTIONS, get_selection
from labelnext.selection.constraints import Constraints
from labelnext.selection.vectors import Space
from labelnext.support.signatures import option_kinds
from tests.fuzz.pools import SENSIBLE

N = 8
RNG = np.random.default_rng(0)
#: No option takes any of these.
NEVER = [
    object(),
    len,
    b"x",
    float("nan"),
    float("inf"),
    -float("inf"),
    {b"x"},
    complex(1),
    "x",
    [[]],
]
#: Some options take some of these.
ODD = [None, "2", -1, 0, 10**30, 1e308, 1e-308, np.array([1]), {1}]


def objects() -> Objects:
    corners = RNG.uniform(0, 0.5, (2 * N, 2))
    return Objects(
        np.arange(0, 2 * N + 1, 2),
        RNG.uniform(0.1, 1, 2 * N),
        class_ids=RNG.integers(0, 3, 2 * N),
        boxes=np.hstack([corners, corners + 0.3]),
        probabilities=RNG.dirichlet([1, 1, 1], 2 * N),
        embeddings=RNG.normal(size=(2 * N, 2)),
    )


ITEMS = Pool(
    range(N),
    probabilities=RNG.dirichlet([1, 1, 1], N),
    embeddings=RNG.normal(size=(N, 2)),
    classes="abc",
    groups=["g", "h"] * (N // 2),
    costs=RNG.uniform(1, 2, N),
)
POOLS = (
    ITEMS,
    Pool(range(N), probabilities=RNG.dirichlet([1, 1, 1], (2, N)), classes="abc"),
    Pool(range(N), objects=objects(), embeddings=RNG.normal(size=(N, 2)), classes="abc"),
    Pool(range(N), objects=(objects(), objects()), classes="abc"),
)
INPUTS: dict[str, Any] = {
    "utilities": RNG.normal(size=N),
    "embeddings": RNG.normal(size=(N, 2)),
    "labelled_embeddings": RNG.normal(size=(2, 2)),
    "labelled_classes": np.array([0, 1]),
    "predicted_classes": RNG.integers(0, 3, N),
    "probabilities": RNG.dirichlet([1, 1, 1], N),
    "objects": objects(),
    "taken_objects": None,
}


@dataclass(frozen=True)
class Call:
    """Something that takes an option by name."""

    who: str
    option: str
    call: Callable[..., object]
    kind: Any = None

    def takes(self, value: object) -> bool:
        """Whether any text will do; names to choose from are no such thing."""
        return isinstance(value, str) and str in (self.kind, *get_args(self.kind))


def calls() -> Iterator[Call]:
    for name in ACQUISITIONS.own_names():
        function = get_acquisition(name)
        pool = next(pool for pool in POOLS if function.obstacle(pool) is None)
        yield from _of_function(function, pool)
    for name in SELECTIONS.own_names():
        method = get_selection(name)
        needed = {"n_clusters": 2} if "n_clusters" in method.required else {}
        pool = POOLS[2] if "objects" in method.inputs else ITEMS
        inputs = {n: INPUTS[n] for n in method.inputs}
        kinds = option_kinds(method.function)
        for option in kinds:

            def raw(m: Any = method, i: Any = inputs, n: Any = needed, **given: Any) -> object:
                return m.function(**i, **{**n, **given})

            yield Call(name, option, raw, kinds[option])
        for option in {*method.options, "seed", "budget"}:
            yield Call(f"rank {name}", option, _ranked(pool, name, needed), kinds.get(option))
    for option in (*option_kinds(Space), *option_kinds(Constraints)):
        yield Call("rank", option, _ranked(ITEMS, "k_center", {}))
    yield Call("rank", "of", _ranked(ITEMS, "top_k", {}))


def _of_function(function: AcquisitionFunction, pool: Pool) -> Iterator[Call]:
    unit = function.default_of(pool)
    predictions = predictions_of(pool, unit, function.options)

    def score(**given: Any) -> object:
        return function.score(pool, of=unit, **given)

    def raw(**given: Any) -> object:
        return function.function(predictions, **given)

    def direct(**given: Any) -> object:
        plain: Callable[..., object] = getattr(labelnext.acquisition, function.name)
        return plain(predictions, **given)

    kinds = option_kinds(function.function)
    for option in function.options:
        yield Call(f"score {function.name}", option, score, kinds.get(option))
    for option in function.own_options:
        yield Call(function.name, option, raw, kinds[option])
        if function.name in labelnext.acquisition.__all__:  # called without its row, too
            yield Call(f"acquisition.{function.name}", option, direct, kinds[option])


def _ranked(pool: Pool, selection: str, needed: dict[str, Any]) -> Callable[..., object]:
    def call(**given: Any) -> object:
        return rank(pool, "margin", selection=selection, **{**needed, **given})

    return call


CALLS = list(calls())


@pytest.mark.parametrize("value", NEVER, ids=lambda value: str(value)[:8])
def test_a_value_that_no_option_takes_is_refused_by_its_name(value: object) -> None:
    assert len(CALLS) > 150
    for one in (one for one in CALLS if not one.takes(value)):
        with pytest.raises(InvalidInput) as caught:
            one.call(**{one.option: value})
        message = caught.value.message
        assert message.partition(" must ")[0].partition(".")[0] == one.option, (one.who, message)
        assert "\n" not in message


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("value", ODD, ids=lambda value: str(value)[:8])
def test_any_other_value_works_or_is_refused(value: object) -> None:
    for one in CALLS:
        with suppress(LabelnextError):
            one.call(**{one.option: value})


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("k", 2.5, "k must be a whole number of at least 1; got 2.5."),
        ("k", True, "k must be a whole number of at least 1; got True."),
        ("k", 0, "k must be at least 1; got 0."),
        ("base", "2", "base must be a number above 0 and not 1, or null; got '2'."),
        ("base", 1, "base must be above 0 and not 1; got 1."),
        ("floor", 1.5, "floor must be in [0, 1]; got 1.5."),
        ("per_cost", 1, "per_cost must be true or false; got 1."),
        (
            "class_weights",
            {"a": -1},
            "class_weights.a must be at least 0; got -1.",
        ),
        (
            "class_weights",
            "count",
            "class_weights must be 'counts', 'difficulty' or a mapping of names to numbers of at "
            "least 0; got 'count'.",
        ),
    ],
)
def test_the_message_says_what_the_option_takes(option: str, value: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rank(POOLS[2], "entropy", of="objects", **{option: value})
    assert caught.value.message == message


def test_numbers_of_numpy_are_numbers_and_ids_may_be_whole_numbers() -> None:
    plain = rank(ITEMS, "entropy", base=2, budget=3, exclude=["1", "2"])
    same = rank(ITEMS, "entropy", base=np.float32(2), budget=np.int64(3), exclude=[1, np.int64(2)])
    assert plain.item_ids.tolist() == same.item_ids.tolist()
    with pytest.raises(InvalidInput, match=r"exclude.1 must be an id; got 2.5. Hint: write '2.5'"):
        rank(ITEMS, exclude=[1, 2.5])


def test_every_option_is_among_those_that_are_tried_with_random_pools() -> None:
    options = {
        name
        for table, get in ((ACQUISITIONS, get_acquisition), (SELECTIONS, get_selection))
        for each in table.own_names()
        for name in get(each).options
    }
    assert options - set(SENSIBLE) == set()
