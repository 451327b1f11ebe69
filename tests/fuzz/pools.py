"""Pools of any values, types and layouts, and what must hold of each of their rankings."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from labelnext import Objects, Pool, rank
from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.errors import LabelnextError
from labelnext.ranking import Ranking
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
COSTS = (1e300, 1e-300, 7) * 3 + (0, 10**400)
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
        if number != 10**400:
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
    n, n_classes = rng.choice([0, 1, 2, 3, 7, 20]), rng.randint(1, 4)
    ids: list[Any] = [str(i) for i in range(n)]
    if n and rng.random() < 0.05:
        ids[rng.randrange(n)] = rng.choice(IDS)
    columns: dict[str, Any] = {"item_ids": ids}
    if rng.random() < 0.95:
        shape = (rng.choice([2, 3]), n, n_classes) if rng.random() < 0.3 else (n, n_classes)
        columns["probabilities"] = laid_out(rng, odd_rows(rng, shape))
    state = np.random.default_rng(rng.randrange(2**32))
    if rng.random() < 0.9:
        vectors = state.normal(size=(n, rng.choice([1, 2, 5])))
        vectors *= rng.choice([1, 1, 1, 0, 1e-300, 1e150, 1e300])
        if vectors.size and rng.random() < 0.05:
            vectors[rng.randrange(n)] = float(rng.choice(NUMBERS[:-1]))
        columns["embeddings"] = laid_out(rng, vectors)
    if rng.random() < 0.3:
        columns["labels"] = state.integers(-1, n_classes + (rng.random() < 0.02), n)
    if rng.random() < 0.3:
        columns["groups"] = [rng.choice(["u", "v", "", "é"]) for _ in range(n)]
    if rng.random() < 0.3:
        columns["costs"] = [rng.choice([1, 2.5, 3, rng.choice(COSTS)]) for _ in range(n)]
    if rng.random() < 0.3:
        counts = state.integers(0, 4, n)
        total = int(counts.sum())
        confidences = state.random(total)
        if total and rng.random() < 0.05:
            confidences[rng.randrange(total)] = float(rng.choice(NUMBERS[:-1]))
        boxes = np.sort(state.random((total, 2, 2)), axis=1).reshape(total, 4)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        columns["objects"] = lambda: Objects(
            offsets, confidences, class_ids=state.integers(0, n_classes, total), boxes=boxes
        )
    return columns


def asked(rng: random.Random) -> dict[str, Any]:
    """What is asked of `rank`: any function, method and options."""
    function = rng.choice([*[None, "margin", "entropy"] * 4, *ACQUISITIONS.own_names()])
    method = rng.choice(SELECTIONS.own_names()) if rng.random() < 0.7 else None
    options: dict[str, Any] = {}
    known = [*(get_acquisition(function).options if function else ()), "include", "exclude"]
    known += [*(get_selection(method).options if method else ()), "per_group", "quota", "per_cost"]
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        options[rng.choice(known)] = rng.choice(OPTION_VALUES)
    if "n_clusters" in known:
        options.setdefault("n_clusters", 2)
    if rng.random() < 0.9:
        options["budget"] = rng.choice([None, 1, 2, 5, 100])
    else:
        options["budget"] = rng.choice(OPTION_VALUES)
    return {"acquisition": function, "selection": method, "seed": rng.randrange(5), **options}


def ranked(columns: dict[str, Any], question: dict[str, Any]) -> tuple[Pool, Ranking] | None:
    """The ranking; None if the pool or the question was refused in one line."""
    try:
        made = {k: v() if callable(v) else v for k, v in columns.items()}
        pool = Pool(made.pop("item_ids"), **made)
        known = {k: v for k, v in question.items() if v is not None or k == "budget"}
        return pool, rank(pool, known.pop("acquisition", None), **known)
    except LabelnextError as error:
        refusal = error.message
    assert refusal
    assert "\n" not in refusal
    assert len(refusal) < 1000, refusal
    return None
