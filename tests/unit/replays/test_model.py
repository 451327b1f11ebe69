"""The model of a replay: which modules it may come from, and how its failures are told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.errors import ConfigError
from labelnext.ranking.strategy import Strategy
from labelnext.replays.curves import Protocol, learning_curve
from labelnext.replays.simulate import simulate

FEATURES = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.arange(60) % 2

CLASSIFIER = """
from sklearn.base import BaseEstimator, ClassifierMixin


class Classifier(ClassifierMixin, BaseEstimator):
    def __init__(self, wrong=None):
        self.wrong = wrong
        if wrong == "constructor":
            raise RuntimeError("made\\nof glass")
    def fit(self, X, y):
        if self.wrong == "fit":
            raise KeyError("no such leaf")
        self.classes_ = sorted(set(y.tolist()))
        return self
    def predict(self, X):
        return [self.classes_[0]] * len(X)
    def predict_proba(self, X):
        if self.wrong == "predict":
            raise ZeroDivisionError("division by zero")
        return [[1 / len(self.classes_)] * len(self.classes_)] * len(X)
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_models.py").write_text(CLASSIFIER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_models", raising=False)
    return "own_models.Classifier"


def curve(model: str, options: dict[str, Any], allow_import: bool = False) -> Any:
    protocol = Protocol(model, options, 6, 3, 2, allow_import=allow_import)
    return learning_curve(FEATURES, LABELS, 2, Strategy.parse("random"), protocol, 0)


def test_a_module_that_is_not_allowed_is_never_imported(own_module: str) -> None:
    with pytest.raises(ConfigError, match="must be a class of sklearn, xgboost, lightgbm or cat"):
        Protocol(own_module).estimator(0)
    assert "own_models" not in sys.modules
    assert len(curve(own_module, {}, allow_import=True).accuracies) == 3


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("this.s", {}, "replay.model must be a class of sklearn, xgboost, lightgbm or catboost"),
        (".x.y", {}, "import path of a classifier; got '.x.y'"),
        ("", {}, "import path of a classifier"),
        ("sklearn", {}, "import path of a classifier"),
        ("sklearn.svm", {}, "import path of a classifier"),
        ("sklearn.nowhere.Model", {}, "import path of a classifier"),
        ("sklearn.base.clone", {}, "import path of a classifier"),
        ("sklearn.svm.SVC", {}, "must have fit and predict_proba; 'sklearn.svm.SVC' does not"),
        ("sklearn.pipeline.Pipeline", {}, "replay.model_options must fit sklearn.pipeline.Pipeli"),
        ("sklearn.linear_model.LogisticRegression", {"x": 1}, "model_options must be one of C, "),
    ],
)
def test_a_model_that_cannot_be_made_is_refused(
    model: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Protocol(model, options).estimator(0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("constructor", "must fit own_models.Classifier; it raised RuntimeError: made of glass."),
        ("fit", "must learn from the labelled items; own_models.Classifier raised KeyError: 'no"),
        ("predict", "own_models.Classifier raised ZeroDivisionError: division by zero."),
    ],
)
def test_whatever_a_model_raises_is_one_sentence(own_module: str, wrong: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        curve(own_module, {"wrong": wrong}, allow_import=True)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_an_option_that_scikit_learn_refuses_is_told_by_a_replay_too() -> None:
    protocol = Protocol(model_options={"max_iter": -1}, initial=6, batch=3, rounds=2)
    strategies = [Strategy.parse("random")]
    with pytest.raises(ConfigError, match="LogisticRegression raised InvalidParameterError: The"):
        simulate(FEATURES, LABELS, 2, strategies, protocol, seeds=range(2), workers=1)
