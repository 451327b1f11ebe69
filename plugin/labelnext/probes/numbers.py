"""A probe of numbers, such as ratings: a committee predicts them, and its spread is the doubt."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import ConfigError, InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.probes.choice import REGRESSION, Choice
from labelnext.probes.learner import VERSION
from labelnext.probes.space import Space, blocks
from labelnext.ranking.recipe import NOT_TRAINED
from labelnext.support.classifiers import training
from labelnext.support.threads import in_order
from labelnext.support.words import counted

ENOUGH = 5
"""Labelled items that are needed."""


def numbers_of(pool: Pool) -> NDArray[np.float64]:
    """The number that each item is labelled with, shape (n_items,), NaN for none.

    Without a column of numbers, those that the names of its labels are.

    Raises:
        InvalidInput: if the labels are no numbers.

    Example:
        >>> numbers_of(Pool("abc", labels=[1, 0, -1], classes=["1", "2.5"])).tolist()
        [2.5, 1.0, nan]
    """
    if pool.numbers is not None:
        return pool.numbers
    if pool.labels is None:
        if pool.truth is not None:
            raise InvalidInput("a regression needs a number per item; got labelled objects.")
        return np.full(len(pool), np.nan)
    n_classes = pool.n_classes or int(pool.labels.max(initial=-1)) + 1
    names = pool.classes or [str(position) for position in range(n_classes)]
    try:
        numbers = np.array([*map(float, names), np.nan])
    except ValueError as error:
        raise InvalidInput(
            f"a regression needs labels that are numbers; got {listed(names)}.",
            hint="leave out probe: regression to learn classes.",
        ) from error
    return numbers[pool.labels]


def is_of_numbers(pool: Pool, choice: Choice) -> bool:
    """Whether numbers are to be learned: they are asked for, or the pool has some.

    Raises:
        ConfigError: if a model is named that learns classes, and the labels are numbers.
    """
    if choice.name == REGRESSION or pool.numbers is None:
        return choice.name == REGRESSION
    if choice.name != "logistic" or choice.options:  # the default, which names nothing
        raise ConfigError(
            f"{choice.keys.model} must be {REGRESSION} for labels that are numbers; "
            f"got {choice.name!r}."
        )
    return True


def with_estimates(
    pool: Pool, choice: Choice, seed: int, space: Space
) -> tuple[Pool | None, Notice]:
    """The pool with a number predicted of each item, and how sure the committee is of it.

    An item's confidence is 1 less the standard deviation of the members' numbers, in halves of the
    range of all labels: 1 where all agree, 0 where half say the least and half the most.

    Args:
        pool: with numbers of labelled items.
        choice: the regression; another is replaced by it, with its defaults.
        seed: of the folds and the committee.
        space: the embeddings.

    Returns:
        The pool, None if nothing is learned yet; and what is to be said of it.
    """
    numbers = numbers_of(pool)
    rows = space.order[~np.isnan(numbers[space.order])]
    low, high = (float(f(numbers[rows])) if len(rows) else 0.0 for f in (np.min, np.max))
    middle, half = low / 2 + high / 2, high / 2 - low / 2
    if len(rows) < ENOUGH or not half:
        differing = "" if half or not len(rows) else ", all with the same number"
        return None, Notice(
            NOT_TRAINED,
            "The probe isn't trained yet, and selection auto goes by coverage until then: it needs "
            f"{ENOUGH} labelled items with an embedding, and two different numbers; got "
            f"{counted(len(rows), 'labelled item')}{differing}.",
        )
    if choice.name != REGRESSION:
        choice = replace(choice, name=REGRESSION, options={})
    # Trees take differences below 1e-8 for none, and squares of large numbers overflow.
    unit = half / (2 * np.frexp(half)[0])  # a power of two, so that no digit is lost
    scaled = (numbers - middle) / unit
    mean, spread = _predicted(choice, space, seed, rows, scaled, pool.item_ids)
    confidences = np.clip(1 - spread[space.usable] / (half / unit), 0, 1)
    offsets = np.concatenate([[0], np.cumsum(space.usable)])
    message = (
        f"The probe ({REGRESSION}) learned numbers from {low:g} to {high:g} of "
        f"{counted(len(rows), 'labelled item')}; its trees predict those "
        "that they haven't seen. Items on which its trees disagree most are the least certain."
    )
    made = replace(
        pool,
        numbers=numbers,
        estimates=mean * unit + middle,
        probabilities=None,
        objects=Objects(offsets, confidences, whole_items=True),
        multilabel=False,
        versions=(VERSION,),
        missing=~space.usable,
    )
    return made, Notice("probe", message)


def _predicted(
    choice: Choice,
    space: Space,
    seed: int,
    rows: NDArray[np.intp],
    numbers: NDArray[np.float64],
    item_ids: NDArray[np.str_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the members, each of shape (n_items,), NaN for none.

    Of an item that is learned from, those of the members whose sample lacks it.
    """
    from threadpoolctl import threadpool_limits

    mean, spread = (np.full(len(item_ids), np.nan) for _ in range(2))
    others = np.ones(len(item_ids), dtype=bool)
    others[rows] = False
    rest = space.order[others[space.order]]
    model = choice.estimator(None, seed)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with training(choice.path, choice.keys):
            points = space.of(rows)
            model.fit(points, numbers[rows])
            said = _members(model, points)
            for member, sample in zip(said, model.estimators_samples_, strict=True):
                member[sample] = np.nan
            mean[rows], spread[rows] = np.nanmean(said, axis=0), np.nanstd(said, axis=0)
            parts = [*blocks(rest)]
            done = in_order(lambda part: _agreed(_members(model, space.of(part))), parts)
            for part, agreed in zip(parts, done, strict=True):
                mean[part], spread[part] = agreed
    return mean, spread


def _agreed(said: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the members, each of shape (n_points,)."""
    return said.mean(axis=0), said.std(axis=0)


def _members(model: Any, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each tree says, shape (n_members, n_points)."""
    single = points.astype(np.float32)  # as trees are asked; converted once for all
    return np.stack([tree.predict(single, check_input=False) for tree in model.estimators_])
