"""A probe of numbers predicts them out of fold, and is least sure where its trees disagree."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.preprocessing import StandardScaler

from labelnext import Pool, probe, rank, run
from labelnext.adapter import open_adapter
from labelnext.errors import ConfigError, InvalidInput
from labelnext.quality.accuracy import error_of
from labelnext.ranking.reasons import doubt, reason, why
from labelnext.ranking.recipe import NOT_TRAINED
from labelnext.runs.predicted_file import predictions
from labelnext.runs.status import status


def made(n: int = 60, labelled: int = 40) -> Pool:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(n, 4))
    numbers = np.where(np.arange(n) < labelled, 3 * points[:, 0] + points[:, 1], np.nan)
    return Pool(range(n), embeddings=points, numbers=numbers)


def test_probe_predicts_what_the_trees_say_on_average_and_ranks_by_their_deviation() -> None:
    pool = made()
    assert pool.embeddings is not None
    assert pool.numbers is not None
    points = StandardScaler().fit_transform(pool.embeddings)
    trees = ExtraTreesRegressor(
        50, bootstrap=True, max_features=1 / 3, random_state=0, oob_score=True
    )
    trees.fit(points[:40], pool.numbers[:40])
    said = np.stack([tree.predict(points[40:]) for tree in trees.estimators_])
    found = probe(pool)
    assert found.estimates is not None
    np.testing.assert_allclose(found.estimates[40:], said.mean(axis=0))
    np.testing.assert_allclose(found.estimates[:40], trees.oob_prediction_)
    half = (pool.numbers[:40].max() - pool.numbers[:40].min()) / 2
    ranking = rank(found)
    order = 40 + np.argsort(-said.std(axis=0))
    assert ranking.item_ids.tolist() == order.astype(str).tolist()
    np.testing.assert_allclose(ranking.scores, np.sort(said.std(axis=0))[::-1] / half)


def test_numbers_need_no_name_for_the_model_and_no_order() -> None:
    pool = made()
    plain, turned = probe(pool), np.arange(60)[::-1]
    assert pool.embeddings is not None
    assert pool.numbers is not None
    other = Pool(turned, embeddings=pool.embeddings[turned], numbers=pool.numbers[turned])
    assert probe(other).fingerprint() == plain.fingerprint()
    assert "learned numbers" in plain.notices[-1].message


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-30, 2.0**500, 2.0**1018])
def test_unit_of_the_numbers_plays_no_part(unit: float) -> None:
    # Lengths in metres of what measures nanometres taught the trees nothing.
    pool = made()
    assert pool.numbers is not None
    plain, other = rank(probe(pool)), rank(probe(replace(pool, numbers=pool.numbers * unit)))
    assert other.item_ids.tolist() == plain.item_ids.tolist()
    assert other.scores.tolist() == plain.scores.tolist()


def test_numbers_far_from_zero_are_learned_as_those_near_it() -> None:
    pool = made()
    assert pool.numbers is not None
    near = np.round(pool.numbers * 64)
    plain, far = (probe(replace(pool, numbers=near + shift)) for shift in (0.0, 2.0**40))
    assert rank(far).item_ids.tolist() == rank(plain).item_ids.tolist()
    np.testing.assert_allclose(far.estimates - 2.0**40, plain.estimates, atol=1e-3)  # type: ignore[operator]


@pytest.mark.parametrize("n_cores", [1, 3])
def test_numbers_depend_neither_on_cores_nor_on_blocks(
    n_cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = probe(made()).fingerprint()
    monkeypatch.setattr("labelnext.support.threads._n_cores", lambda: n_cores)
    monkeypatch.setattr(
        "labelnext.probes.numbers.blocks", lambda rows: iter(np.array_split(rows, 7))
    )
    assert probe(made()).fingerprint() == whole


def test_labels_that_are_numbers_are_learned_as_such_when_asked() -> None:
    points = np.arange(20.0)[:, None]
    labels = np.where(np.arange(20) < 16, np.arange(20) // 7, -1)  # 1, 3 and 5 stars
    pool = Pool(range(20), embeddings=points, labels=labels, classes=["1", "3", "5"])
    found = probe(pool, "regression")
    assert found.numbers is not None
    assert found.numbers.tolist()[:16] == [1.0] * 7 + [3.0] * 7 + [5.0] * 2
    assert found.estimates is not None
    assert found.estimates[0] < 2 < 4 < found.estimates[19]
    with pytest.raises(InvalidInput, match="labels that are numbers; got cat"):
        probe(Pool("ab", embeddings=[[0], [1]], labels=[0, 0], classes=["cat"]), "regression")


@pytest.mark.parametrize(
    ("numbers", "said"), [([1, 2, 3, 4], "got 4 labelled items"), ([2] * 5, "all with the same")]
)
def test_too_few_numbers_teach_nothing(numbers: list[float], said: str) -> None:
    column = [*numbers, *[np.nan] * (6 - len(numbers))]
    pool = probe(Pool("abcdef", embeddings=np.eye(6), numbers=column))
    assert pool.estimates is None
    assert [n.code for n in pool.notices] == [NOT_TRAINED]
    assert said in pool.notices[0].message


def test_a_classifier_is_refused_for_numbers_and_numbers_must_be_finite() -> None:
    with pytest.raises(ConfigError, match="must be regression for labels that are numbers"):
        probe(made(), "nearest")
    with pytest.raises(ConfigError, match=r"options.n_estimators must be at least 50, .* got 9"):
        probe(made(), "regression", options={"n_estimators": 9})
    with pytest.raises(ConfigError, match=r"options.bootstrap must be true, .* got False"):
        probe(made(), "regression", options={"bootstrap": False})
    with pytest.raises(InvalidInput, match="numbers must be finite"):
        Pool("ab", numbers=[1, np.inf])


def test_numbers_are_told_with_their_confidence() -> None:
    pool = probe(made(), options={})
    assert pool.answer is not None
    assert pool.estimates is not None
    sure = pool.answer.confidences[50]
    assert reason(pool, 50, "items") == f"{pool.estimates[50]:.4g} (confidence {sure:.2f})"
    assert f"sure of {pool.estimates[50]:.4g}." in why(pool, 50, "items")
    assert pool.numbers is not None
    label = f"The label says {pool.numbers[3]:.4g}. The model is "
    assert doubt(pool, 3, "items").startswith(label)


def test_error_of_numbers_is_that_of_the_definition() -> None:
    # Off by 3 and −4: the squares' mean is 12.5, the absolute values' mean 3.5. The labels 1 and 5
    # have the mean 3 and lie 2 from it.
    error = error_of(Pool("abc", numbers=[1, 5, np.nan], estimates=[4, 1, 2]), out_of_fold=True)
    assert error is not None
    assert error.sentence() == (
        "RMSE 3.54 of the numbers of 2 labelled items (2 if always their mean were named), mean "
        "absolute error 3.5, each without its own label."
    )
    assert error_of(Pool("ab", numbers=[1, 2]), out_of_fold=True) is None


def test_files_with_numbers_are_ranked_and_their_error_is_told(tmp_path: Path) -> None:
    pool = made()
    assert pool.embeddings is not None
    assert pool.numbers is not None
    with (tmp_path / "items.jsonl").open("w") as file:
        for row, number in enumerate(pool.numbers.tolist()):
            price = None if np.isnan(number) else number
            vector = pool.embeddings[row].tolist()
            file.write(json.dumps({"item_id": row, "price": price, "embedding": vector}) + "\n")
    source = {
        "adapter": "files",
        "path": str(tmp_path / "items.jsonl"),
        "columns": {"label_number": "price"},
        "model": "probe",
    }
    config = {
        "source": source,
        "selection": {"budget": 5},
        "state": str(tmp_path / "state"),
        "write": {"output": str(tmp_path / "ranking.csv")},
        "report": {"path": None},
    }
    report = run(config)
    assert {int(item) for item in report.ranking.item_ids} <= {*range(40, 60)}
    found, expected = status(config), error_of(probe(pool), out_of_fold=True)
    assert found.n_labelled == 40
    assert found.error == expected
    assert found.accuracy is None
    assert found.error is not None
    assert found.error.rmse < found.error.deviation
    written = predictions(config, tmp_path / "out.jsonl")
    assert written.items == 60
    first = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert first.keys() == {"item_id", "estimate", "confidence"}
    assert first["estimate"] == pytest.approx(probe(pool).estimates[0])  # type: ignore[index]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["", ""], "[nan, nan]"),  # nobody has labelled yet
        (["2.5", ""], "[2.5, nan]"),
        (["$2", "$3"], "label_number must be a number, or empty for none; got '$2'"),
        (["inf", "1"], "label_number must be a number, or empty for none; got 'inf'"),
    ],
)
def test_cells_of_numbers_may_be_empty(cells: list[str], said: str, tmp_path: Path) -> None:
    lines = [f"{item},{cell},0.5" for item, cell in zip("ab", cells, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["item_id,label_number,e_0", *lines, ""]))
    adapter = open_adapter("files", directory=tmp_path, path="a.csv")
    try:
        found = str(adapter.read().numbers.tolist())  # type: ignore[union-attr]
    except InvalidInput as error:
        found = error.message
    assert said in found
