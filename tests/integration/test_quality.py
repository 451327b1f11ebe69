"""Batches must be better than random, by how much is measured, on paired seeds.

A small version of benchmarks/quality, which prints the figures of docs/quality.md.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from benchmarks.quality.effects import REGRESSION, THEIRS, replayed
from benchmarks.quality.simulate import (
    COLD,
    STRATEGIES,
    at_random,
    compared,
    first_batch,
    learning_curve,
)
from benchmarks.quality.tasks import load
from threadpoolctl import threadpool_limits

SEEDS = range(20)
ROUNDS = 10


@pytest.fixture(autouse=True)
def _quiet_and_on_one_thread():
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # a model of a few labels does not always converge
        yield


def curves(name: str) -> np.ndarray:
    task = load("digits")
    return np.array([learning_curve(task, STRATEGIES[name], seed, ROUNDS) for seed in SEEDS])


@pytest.fixture(scope="module")
def random_curves() -> np.ndarray:
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        return curves("random")


def test_margin_beats_random(random_curves: np.ndarray) -> None:
    mean, wins, *_ = compared(curves("margin"), random_curves)
    assert mean >= 0.015
    assert wins >= 17


def test_cluster_margin_beats_random_by_more(random_curves: np.ndarray) -> None:
    mean, wins, *_ = compared(curves("cluster_margin"), random_curves)
    assert mean >= 0.025
    assert wins >= 17


def test_reversed_direction_loses(random_curves: np.ndarray) -> None:
    mean, wins, *_ = compared(curves("margin reversed"), random_curves)
    assert mean <= -0.10
    assert wins == 0


@pytest.mark.parametrize(
    ("method", "budget", "least"), [("image_diversity", 10, 0.12), ("typiclust", 50, 0.05)]
)
def test_first_batch_without_a_model_beats_random(method: str, budget: int, least: float) -> None:
    task = load("digits")
    ours, theirs = (
        np.array([first_batch(task, choose, seed, budget) for seed in range(30)])
        for choose in (COLD[method], at_random)
    )
    mean, wins, *_ = compared(ours, theirs)
    assert mean >= least
    assert wins >= 27


def test_replay_finds_the_effects_of_another_simulation_in_sign_and_size() -> None:
    """On wine, where 20 starts take seconds; benchmarks/quality/effects.py has the other data."""
    _, others, _ = THEIRS["wine", REGRESSION]
    _, *outcomes = replayed(load("wine"), REGRESSION, None, 2)
    ours = [100 * outcome.difference for outcome in outcomes]
    theirs = [points for points, *_ in others]
    assert [a > 0 for a, b in zip(ours, theirs, strict=True) if b > 1] == [True] * 6
    assert np.abs(np.subtract(ours, theirs)).max() < 2
