"""Pools of any values, types and layouts, and what must hold of each of their rankings."""

from __future__ import annotations

import random
from typing import Any, get_args

import numpy as np

from labelnext import Objects, Pool
from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.acquisition.function import Unit
from labelnext.errors import LabelnextError
from labelnext.selection import SELECTIONS, get_selection

NUMBERS: list[Any] = [
    0, -0.0, 1, -1, 0.5, 5e-324, 1e-300, 1e300, 1.7e308, float("nan"), float("inf"), -float("inf"),
    1 + 2**-52, 1 - 2**-53, 1e-9, 2**53, 2**63, 10**400,
]  # fmt: skip
IDS: list[Any] = [
    "", " ", "a", "A", "é", "e\u0301", "\0", "\ud800", "007", "7", 7, 7.0, -1, 2**70, None, True,
    "x" * 10_001, "𝔞", "nan", "a\nb", ("a",), [1], b"a", np.int64(3), float("nan"),
]  # fmt: skip
OPTION_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 0.5, 1e308, 5e-324, float("nan"), float("inf"), 10**400,
    "", "x", "2", "mean", [], ["a"], [None], {}, {"a": 1}, {"a": -1}, {"a": "b"}, {1: 2}, [[1]],
    np.array([1, 2]), b"x", object, "0", "1", ["0", "1"], ["0", "0"], "cosine", "pca", "random",
]  # fmt: skip
#: Values that make sense; `n_clusters` is always given, as two methods can't do without it.
SENSIBLE: dict[str, list[Any]] = {
    "reduce": ["mean", "max", "min", "sum", "mean_top_k"], "k": [1, 3, 100], "floor": [0, 0.2, 1],
    "no_objects": ["first", "last", "quota"], "no_objects_share": [0.1, 0.5],
    "class_weights": ["counts", None, {"0": 2, "1": 0.5}], "class_quality": [None, {"0": 0.5}],
    "per_cost": [True, False], "base": [None, 2, 10], "similarity": [0, 0.5, 1], "iou": [0.3, 1],
    "n_classes": [None, 4], "include": [["0", "1"], []], "exclude": [["0"], ["1", "2"], []],
    "per_group": [1, 2, None], "quota": ["uniform", "input", {"0": 1}], "dedupe": [0.5, 0.99],
    "groups_as_items": [True, "mean", "min"],
    "min_distance": [0.1, 10], "distance": ["cosine", "euclidean"], "law": ["rank", "power"],
    "beta": [0.1, 1, 50], "n_clusters": [1, 2, 5], "radius": [None, 0.5], "purity": [0.5, 0.95],
    "n_neighbours": [None, 1, 5], "kernel": ["gaussian"], "width": [None, 1.0, "pool"],
    "pool_factor": [1, 2.5, 10], "score_strength": [0, 1, 3], "distance_strength": [0, 1],
    "doubt": ["utility", "embeddings"],
}  # fmt: skip
COSTS = (1e300, 1e-300, 7)
DTYPES = ("f8", "f4", "f2", ">f8", "g", "O")


def odd_rows(rng: random.Random, shape: tuple[int, ...]) -> Any:
    """Distributions, mostly: sharp, flat, nearly equal, scaled, or with an odd number in them."""
    state = np.random.default_rng(rng.randrange(2**32))
    concentration = rng.choice([1e-3, 0.1, 1, 1e6])
    rows = state.dirichlet(np.full(shape[-1], concentration), shape[:-1])
    rows = np.nan_to_num(rows, nan=1 / shape[-1])
    kind = rng.random() * 2
    if kind < 0.15:
        rows[...] = 1 / shape[-1]
        rows[..., 0] += state.choice([0, 2**-53, -(2**-54)], shape[:-1])
    elif kind < 0.25:
        rows = np.eye(shape[-1])[state.integers(0, shape[-1], shape[:-1])]
    elif kind < 0.35 and rows.size:
        number = rng.choice(NUMBERS)
        if number != 10**400 and rng.random() < 0.3:
            rows[tuple(rng.randrange(n) for n in shape)] = float(number)
    return rows


def laid_out(rng: random.Random, rows: Any) -> Any:
    """The same numbers in another type or layout of memory."""
    kind = rng.randrange(6)
    if kind == 0:
        with np.errstate(all="ignore"):
            return rows.astype(rng.choice(DTYPES))
    if kind == 1:
        return np.asfortranarray(rows)
    if kind == 2:
        wide = np.empty((*rows.shape[:-1], 2 * rows.shape[-1]))
        wide[..., ::2] = rows
        return wide[..., ::2]
    if kind == 3:
        return rows.tolist()
    return rows[::-1].copy()[::-1] if kind == 4 else rows


def drawn(rng: random.Random) -> dict[str, Any]:
    """The columns of a pool; some are odd."""
    odd = rng.random() < 0.3
    n, n_classes = rng.choice([0, 1, 2, 3, 7, 20, 50]), rng.randint(1 + (not odd), 4)
    ids: list[Any] = [str(i) for i in range(n)]
    if n and odd and rng.random() < 0.2:
        ids[rng.randrange(n)] = rng.choice(IDS)
    several = rng.random() < 0.3
    columns: dict[str, Any] = {"item_ids": ids}
    if rng.random() < 0.95:
        shape = (2, n, n_classes) if several else (n, n_classes)
        columns["probabilities"] = laid_out(rng, odd_rows(rng, shape))
    state = np.random.default_rng(rng.randrange(2**32))
    if rng.random() < 0.9:
        vectors = state.normal(size=(n, rng.choice([1, 2, 5])))
        vectors *= rng.choice([1, 1, 1, 0, 1e-14, 1e14, *[1e-300, 1e150, 1e300] * odd])
        if vectors.size and odd and rng.random() < 0.2:
            vectors[rng.randrange(n)] = float(rng.choice(NUMBERS[:-1]))
        columns["embeddings"] = laid_out(rng, vectors)
    if rng.random() < 0.3:
        columns["labels"] = state.integers(-1, n_classes + (rng.random() < 0.02), n)
    if rng.random() < 0.3:
        columns["groups"] = [rng.choice(["u", "v", "", "é"]) for _ in range(n)]
    if rng.random() < 0.3:
        columns["costs"] = [rng.choice([1, 2.5, *COSTS, *[0, 10**400] * odd]) for _ in range(n)]
    if rng.random() < 0.3:
        counts = state.integers(0, 4, n)
        total = int(counts.sum())
        confidences = state.random(total)
        if total and odd and rng.random() < 0.2:
            confidences[rng.randrange(total)] = float(rng.choice(NUMBERS[:-1]))
        boxes = np.sort(state.random((total, 2, 2)), axis=1).reshape(total, 4)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        class_ids = state.integers(0, n_classes, total)
        vectors = state.normal(size=(total, 3)) if rng.random() < 0.5 else None
        columns["objects"] = lambda: tuple(
            Objects(offsets, values, class_ids=class_ids, boxes=boxes, embeddings=vectors)
            for values in ((confidences, 1 - confidences) if several else (confidences,))
        )
    return columns


def asked(rng: random.Random, pool: Pool) -> dict[str, Any]:
    """What is asked of `rank`: any function, method and options; most of them suit the pool."""
    odd = rng.random() < 0.2
    units = [unit for unit in get_args(Unit) if odd or rng.random() < 0.7]
    suiting = [
        (name, unit)
        for name in ACQUISITIONS.own_names()
        for unit in units
        if unit in get_acquisition(name).of
        and (odd or get_acquisition(name).obstacle(pool, unit) is None)
    ]
    function, unit = rng.choice([("auto", None), *suiting * 2])
    if rng.random() < 0.1:
        function = unit = None
    suits = [
        name
        for name in SELECTIONS.own_names()
        if odd or (function is not None or "utilities" not in get_selection(name).inputs)
    ]
    method = rng.choice(suits) if function is None or rng.random() < 0.7 else None
    known = [
        "include",
        "exclude",
        "dedupe",
        "min_distance",
        *["per_group", "groups_as_items"] * (pool.groups is not None),
    ]
    known += ["quota", *(get_selection(method).options if method else ())]
    if function not in (None, "auto") and (odd or unit == "objects"):
        known += get_acquisition(function).options
    options = {
        name: rng.choice(OPTION_VALUES if odd else SENSIBLE[name])
        for name in rng.choices(known, k=rng.choice([0, 0, 1, 1, 2]))
    }
    if "n_clusters" in known:
        options.setdefault("n_clusters", 2)
    budgets = OPTION_VALUES if odd and rng.random() < 0.3 else [None, 1, 2, 5, 100]
    budget = rng.choice(budgets[1:] if "quota" in options else budgets)
    question = {"acquisition": function, "of": unit, "budget": budget, "seed": rng.randrange(5)}
    return {**question, **({"selection": method} if method else {}), **options}


def one_line(error: LabelnextError) -> None:
    """A refusal is one line, of a length that people read."""
    assert error.message
    assert "\n" not in error.message
    assert len(error.message) < 1000, error.message


def made(columns: dict[str, Any]) -> Pool:
    """The pool of drawn columns."""
    whole = {name: value() if callable(value) else value for name, value in columns.items()}
    return Pool(whole.pop("item_ids"), **whole)
