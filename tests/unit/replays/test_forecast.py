"""The forecast against a law that is known, and against labels that were held back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit
from sklearn.datasets import load_digits

from labelnext.replays.curves import Protocol
from labelnext.replays.forecast import Forecast, forecast, part_sizes, power_law
from labelnext.runs.status import status

FEATURES, LABELS = load_digits(return_X_y=True)
SIZES = np.array([30, 50, 80, 130, 200, 320])


def test_forecast_of_few_or_equal_labels_says_why_there_is_none() -> None:
    few = forecast(FEATURES[:20], LABELS[:20], Protocol(), [100])
    assert few == "A forecast needs 60 labelled items with embeddings; got 20."
    same = forecast(FEATURES[:80], np.zeros(80, dtype=int), Protocol(), [100])
    assert same == "A forecast needs labels of at least two classes, a few of each."


def test_sizes_grow_to_all_that_is_not_held_out() -> None:
    sizes = part_sizes(1000, 3)
    assert sizes[0] == 15
    assert sizes[-1] == 750
    assert (np.diff(sizes) > 0).all()


@pytest.mark.parametrize(("a", "b", "c"), [(0.95, 2.0, 0.5), (0.8, 5.0, 1.0), (1.0, 1.5, 0.3)])
def test_power_law_that_made_the_curve_is_found(a: float, b: float, c: float) -> None:
    curve = a - b * SIZES**-c
    ahead = power_law(SIZES, curve[None], np.array([1000.0]))[0, 0]
    assert ahead == pytest.approx(a - b * 1000**-c, abs=1e-3)


def test_power_law_agrees_with_scipy_on_noise() -> None:
    curve = 0.9 - 2 * SIZES**-0.6 + np.random.default_rng(0).normal(0, 0.004, len(SIZES))

    def law(n, a, b, c):
        return a - b * n**-c

    bounds = ([0, 0, 0.05], [1, 100, 2])
    found, _ = curve_fit(law, SIZES, curve, p0=(0.9, 2, 0.6), bounds=bounds)
    ahead = power_law(SIZES, curve[None], np.array([640.0]))[0, 0]
    assert ahead == pytest.approx(law(640, *found), abs=2e-3)


def test_curve_that_does_not_rise_is_forecast_to_stay() -> None:
    flat = np.full((1, len(SIZES)), 0.5)
    assert power_law(SIZES, flat, np.array([10_000.0]))[0, 0] == pytest.approx(0.5)
    falling = np.linspace(0.6, 0.5, len(SIZES))[None]
    assert power_law(SIZES, falling, np.array([10_000.0]))[0, 0] == pytest.approx(0.55)


def test_forecast_holds_on_labels_that_were_held_back() -> None:
    order = np.random.default_rng(0).permutation(len(LABELS))
    now, later, test = order[:300], order[:600], order[600:]
    found = forecast(FEATURES[now], LABELS[now], Protocol(), [600])
    assert isinstance(found, Forecast)
    model = Protocol().estimator(0).fit(FEATURES[later], LABELS[later])
    accuracy = model.score(FEATURES[test], LABELS[test])
    assert found.low[0] <= accuracy <= found.high[0]
    assert found.low[0] < found.expected[0] < found.high[0]
    assert found.expected[0] > found.accuracies[-1]
    assert found.high[0] - found.low[0] < 0.15


def test_forecast_is_the_same_twice() -> None:
    first, second = (forecast(FEATURES[:100], LABELS[:100], Protocol(), [200]) for _ in range(2))
    assert first == second


def test_status_forecasts_or_says_why_not(tmp_path) -> None:
    np.savez(
        tmp_path / "items.npz",
        item_ids=np.arange(300),
        embeddings=FEATURES[:300],
        labels=np.where(np.arange(300) < 150, LABELS[:300], -1),
    )
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: items.npz}\nselection: {budget: 50}\n")
    found = status(config).forecast
    assert isinstance(found, Forecast)
    assert found.labels == [200, 300]
    config.write_text("source: {adapter: files, path: items.npz}\nselection: {budget: 200}\n")
    assert status(config).forecast.labels == [300]  # there are no more items
    every = {"item_ids": np.arange(150), "embeddings": FEATURES[:150], "labels": LABELS[:150]}
    np.savez(tmp_path / "items.npz", **every)
    assert status(config).forecast == "A forecast needs items that aren't labelled yet."
    np.savez(tmp_path / "items.npz", item_ids=np.arange(3), labels=[0, 1, -1])
    assert "needs embeddings" in str(status(config).forecast)
