"""One certainty a sample is ranked as what it is, and every stored vector is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext import Pool, open_adapter, rank
from labelnext.errors import InvalidInput
from tests.integration.app import choices, execute, form, panel, requests
from tests.integration.test_fiftyone_read import add, codes, read

pytest_plugins = ("tests.integration.mongod",)

SURENESS = [0.95, 0.5, 0.3, 0.15, 0.05]


def classification(label: str, confidence: float | None = None, **more: Any) -> Any:
    import fiftyone as fo

    return fo.Classification(label=label, confidence=confidence, **more)


def classifications(labels: dict[str, float | None], **more: Any) -> Any:
    import fiftyone as fo

    return fo.Classifications(
        classifications=[classification(*pair) for pair in labels.items()], **more
    )


def logit(*probabilities: float) -> Any:
    chances = np.array(probabilities)
    return np.log(chances / (1 - chances))


def order(pool: Pool, *arguments: Any, **options: Any) -> list[str]:
    return list(rank(pool, *arguments, **options).item_ids)


def top1(dataset: Any, *fields: str) -> None:
    rows = [
        {
            "code": f"conf{sure}",
            **{name: classification(f"c{number:02d}", sure) for name in fields},
        }
        for number, sure in enumerate(SURENESS)
    ]
    add(dataset, *rows, classes=[f"c{number:02d}" for number in range(20)])


EXPECTED = [f"conf{sure}" for sure in reversed(SURENESS)]


def test_a_class_with_its_confidence_is_ranked_least_confident_first(dataset: Any) -> None:
    top1(dataset, "pred")
    pool = read(dataset, pred_field="pred", key="code")
    assert order(pool) == EXPECTED
    assert order(pool, "least_confidence", of="objects") == EXPECTED
    with pytest.raises(InvalidInput, match="one confidence per item"):
        rank(pool, "margin")


def test_fields_of_one_confidence_are_a_committee(dataset: Any) -> None:
    top1(dataset, "one", "two")
    pool = read(dataset, pred_field=["one", "two"], key="code")
    assert len(pool.answers) == 2
    assert order(pool) == EXPECTED


def test_a_field_without_predictions_is_no_obstacle_for_a_committee(dataset: Any) -> None:
    import fiftyone as fo

    top1(dataset, "one")
    dataset.add_sample_field("two", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    assert order(read(dataset, pred_field=["one", "two"], key="code")) == EXPECTED


def test_fields_of_a_confidence_and_of_objects_are_no_committee(dataset: Any) -> None:
    import fiftyone as fo

    top1(dataset, "one")
    dataset.set_values("two", [fo.Detections()] * len(SURENESS))
    with pytest.raises(InvalidInput, match="committee must all hold objects"):
        read(dataset, pred_field=["one", "two"])


def test_numbers_and_maps_of_uncertainty_put_the_highest_first(dataset: Any) -> None:
    import fiftyone as fo

    values = [0.97, 0.9, 0.5, 0.1, 0.02]
    heats = [fo.Heatmap(map=np.full((2, 2), value)) for value in values]
    add(dataset, *({"code": f"u{v}", "u": v, "h": h} for v, h in zip(values, heats, strict=True)))
    for field in ("u", "h"):
        pool = read(dataset, pred_field=field, pred_values="uncertainty", key="code")
        assert order(pool) == ["u0.97", "u0.9", "u0.5", "u0.1", "u0.02"]
        said = f"{field} holds uncertainties: a confidence of it is 1 minus the number."
        assert said in [notice.message for notice in pool.notices]
        pool = read(dataset, pred_field=field, key="code")
        assert order(pool) == ["u0.02", "u0.1", "u0.5", "u0.9", "u0.97"]


def test_whole_numbers_are_numbers(dataset: Any) -> None:
    add(dataset, {"code": "no", "u": 0}, {"code": "yes", "u": 1}, {"code": "unknown"})
    pool = read(dataset, pred_field="u", pred_values="uncertainty", key="code")
    assert order(pool) == ["yes", "no"]
    assert order(read(dataset, pred_field="u", key="code")) == ["no", "yes"]


def test_the_confidence_of_a_regression_is_read(dataset: Any) -> None:
    import fiftyone as fo

    ages = [fo.Regression(value=30.0, confidence=sure) for sure in (0.9, 0.05, 0.5)]
    add(
        dataset,
        *({"code": n, "age": age} for n, age in zip("abc", ages, strict=True)),
        {"code": "d"},
    )
    pool = read(dataset, pred_field="age", key="code")
    assert order(pool) == ["b", "c", "a"]
    assert pool.missing.tolist() == [False, False, False, True]


MULTILABEL = {"unsure": [0.9, 0.49, 0.48, 0.47], "sure": [0.7, 0.7, 0.01, 0.01], "none": [0.49] * 4}


def tagged(dataset: Any, *, confidences: bool, classes: list[str] | None) -> None:
    rows = [
        {
            "code": name,
            "pred": classifications(
                {"abcd"[i]: p if confidences else None for i, p in enumerate(row) if p > 0.5},
                logits=logit(*row),
            ),
        }
        for name, row in MULTILABEL.items()
    ]
    add(dataset, *rows, classes=classes)


@pytest.mark.parametrize("confidences", [True, False])
def test_logits_beside_several_labels_are_used(dataset: Any, confidences: bool) -> None:
    tagged(dataset, confidences=confidences, classes=list("abcd"))
    pool = read(dataset, pred_field="pred", key="code")
    assert pool.multilabel
    np.testing.assert_allclose(pool.probabilities, list(MULTILABEL.values()), atol=1e-6)
    ranking = rank(pool)
    # sums of −q ln q − (1 − q) ln(1 − q) over the classes
    assert dict(zip(ranking.item_ids, ranking.scores.round(4), strict=True)) == {
        "none": 2.7718,
        "unsure": 2.4017,
        "sure": 1.3337,
    }
    assert codes(pool) == {}


def test_labels_in_the_list_are_still_there_for_those_who_ask(dataset: Any) -> None:
    tagged(dataset, confidences=True, classes=list("abcd"))
    pool = read(dataset, pred_field="pred", key="code")
    assert rank(pool, of="objects").of == "objects"


def test_logits_without_declared_classes_are_used(dataset: Any) -> None:
    tagged(dataset, confidences=False, classes=None)
    pool = read(dataset, pred_field="pred", key="code")
    assert pool.classes == ("class 0", "class 1", "class 2", "class 3")
    assert order(pool) == ["none", "unsure", "sure"]


def test_a_sample_without_logits_is_named(dataset: Any) -> None:
    add(
        dataset,
        {"code": "x", "pred": classifications({"a": 0.9}, logits=logit(0.9, 0.1))},
        {"code": "y", "pred": classifications({"a": 0.9})},
        {"code": "z"},
        classes=["a", "b"],
    )
    pool = read(dataset, pred_field="pred", key="code")
    assert codes(pool)["no_vector"] == ("y",)
    assert pool.missing.tolist() == [False, False, True]


def test_a_single_logit_is_of_the_second_of_two_classes(dataset: Any) -> None:
    rows = [{"code": n, "pred": classification("yes", logits=logit(p))} for n, p in ODDS.items()]
    add(dataset, *rows, classes=["no", "yes"])
    pool = read(dataset, pred_field="pred", key="code")
    np.testing.assert_allclose(pool.probabilities, [[0.1, 0.9], [0.45, 0.55], [0.7, 0.3]])
    assert order(pool) == ["b", "c", "a"]


ODDS = {"a": 0.9, "b": 0.55, "c": 0.3}


def test_a_single_logit_of_a_single_class_has_an_opposite(dataset: Any) -> None:
    rows = [{"code": n, "pred": classification("cat", logits=logit(p))} for n, p in ODDS.items()]
    add(dataset, *rows, classes=["cat"])
    pool = read(dataset, pred_field="pred", key="code")
    assert pool.classes == ("not cat", "cat")
    assert order(pool) == ["b", "c", "a"]


def test_a_list_of_the_likeliest_classes_keeps_what_is_left(dataset: Any) -> None:
    add(
        dataset,
        {"code": "x", "pred": classifications({"a": 0.5, "b": 0.3})},
        {"code": "y", "pred": classifications({"c": 0.4, "b": 0.35})},
        {"code": "z"},
        classes=list("abcd"),
    )
    pool = read(dataset, pred_field="pred", key="code")
    np.testing.assert_allclose(
        pool.probabilities[:2], [[0.5, 0.3, 0.1, 0.1], [0.125, 0.35, 0.4, 0.125]]
    )
    assert order(pool) == ["y", "x"]
    assert "top_classes" in codes(pool)


def test_a_list_of_the_likeliest_of_unknown_classes_counts_by_its_first(dataset: Any) -> None:
    add(
        dataset,
        {"code": "x", "pred": classifications({"b": 0.3, "a": 0.6})},
        {"code": "y", "pred": classifications({"c": 0.4, "b": 0.35})},
    )
    pool = read(dataset, pred_field="pred", key="code")
    assert pool.answer is not None
    assert pool.answer.confidences.tolist() == [0.6, 0.4]
    assert order(pool) == ["y", "x"]


def test_one_label_in_each_list_is_one_confidence_a_sample(dataset: Any) -> None:
    rows = [{"code": f"conf{s}", "pred": classifications({"a": s})} for s in SURENESS]
    add(dataset, *rows, classes=list("abc"))
    assert order(read(dataset, pred_field="pred", key="code")) == EXPECTED


def test_labels_that_are_independent_stay_objects(dataset: Any) -> None:
    add(
        dataset,
        {"pred": classifications({"a": 0.9, "b": 0.8})},
        {"pred": classifications({"a": 0.4})},
        classes=list("abc"),
    )
    pool = read(dataset, pred_field="pred")
    assert pool.newest_objects is not None
    assert pool.newest_objects.counts.tolist() == [2, 1]


def test_the_form_offers_what_one_confidence_allows(plugins: Path, dataset: Any) -> None:
    top1(dataset, "pred")
    inputs = form("rank_samples", dataset, pred_field="pred", acquisition="least_confidence")
    assert "reduce" not in inputs
    offered = choices(inputs["acquisition"])
    assert "here least_confidence of samples" in offered["auto"]["description"]
    assert "Needs the probabilities of all classes" in offered["margin"]["description"]
    assert "needs" not in offered["mean_object_confidence"]["description"].lower()
    chosen = {"labelled": "nothing", "acquisition": "auto", "method": "top_k", "run": "next"}
    result = execute("rank_samples", dataset, pred_field="pred", budget=2, **chosen)
    dataset.reload()
    stages = requests(result)["set_view"]["view"]
    assert fo_view(dataset, stages).values("code") == ["conf0.05", "conf0.15"]
    ctx, _ = panel(dataset)
    assert "object" not in ctx.panel.state.text
    assert ctx.panel._data._data["next"][0]["why"] == "c04 0.05"


def fo_view(dataset: Any, stages: Any) -> Any:
    import fiftyone as fo

    return fo.DatasetView._build(dataset, stages)


def test_a_run_ranks_the_least_confident_first_and_says_so(dataset: Any, tmp_path: Path) -> None:
    top1(dataset, "pred")
    report = labelnext.run(
        {
            "source": {
                "adapter": "fiftyone",
                "dataset": dataset.name,
                "pred_field": "pred",
                "key": "code",
            },
            "selection": {"budget": 3},
            "state": str(tmp_path / "state"),
            "report": {"path": None},
        }
    )
    assert report.ranking.item_ids.tolist() == EXPECTED[:3]
    assert [row["reason"] for row in report.next_items] == ["c04 0.05", "c03 0.15", "c02 0.30"]
    assert report.objects_per_item is None
    dataset.reload()
    assert dataset.values("labelnext.rank") == [5, 4, 3, 2, 1]


def test_check_finds_the_logits_beside_labels_without_confidences(dataset: Any) -> None:
    tagged(dataset, confidences=False, classes=list("abcd"))
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred")
    messages = [finding.message for finding in adapter.check()]
    adapter.close()
    assert "pred holds logits." in messages


def stored(dataset: Any, values: dict[str, Any]) -> None:
    """Change what the database holds of the sample b, past FiftyOne's checks."""
    dataset._sample_collection.update_one({"code": "b"}, {"$set": values})


@pytest.mark.parametrize("kind", ["objects", "classes"])
def test_a_confidence_out_of_range_names_its_sample(dataset: Any, kind: str) -> None:
    import fiftyone as fo

    boxes = fo.Detections(detections=[fo.Detection(label="x", confidence=0.5)] * 2)
    pred = boxes if kind == "objects" else classification("x", 0.5)
    add(dataset, {"code": "a", "pred": pred}, {"code": "b", "pred": pred})
    path = "pred.detections.1.confidence" if kind == "objects" else "pred.confidence"
    stored(dataset, {path: 7})
    with pytest.raises(InvalidInput, match=r"in \[0, 1\]; it does not on 1 sample: b"):
        read(dataset, pred_field="pred", key="code")
    stored(dataset, {path: [0.5]})  # no number at all
    pool = read(dataset, pred_field="pred", key="code")
    assert order(pool) == ["a"]


def test_bytes_that_are_no_vector_are_counted(dataset: Any) -> None:
    rows = [
        {"code": name, "pred": classification("x", logits=np.array([1.0, 2.0])), "emb": np.ones(2)}
        for name in "ab"
    ]
    add(dataset, *rows, classes=["x", "y"])
    stored(dataset, {"pred.logits": b"no vector", "emb": b"no vector"})
    pool = read(dataset, pred_field="pred", key="code")
    assert order(pool) == ["a"]
    assert [notice.item_ids for notice in pool.notices if notice.code == "ragged"] == [("b",)]
    with pytest.raises(InvalidInput, match="others on 1 sample: b"):
        read(dataset, pred_field="pred", embeddings="emb", key="code")


@pytest.mark.parametrize("kind", ["Detections", "Classifications", "Detection"])
def test_objects_with_vectors_alone_have_their_highest_probability_as_confidence(
    dataset: Any, kind: str
) -> None:
    import fiftyone as fo

    rows = {"flat": [0.34, 0.33, 0.33], "tie": [0.5, 0.48, 0.02], "sure": [0.98, 0.01, 0.01]}
    made = {
        "Detections": lambda one: fo.Detections(detections=[fo.Detection(**one)]),
        "Classifications": lambda one: fo.Classifications(classifications=[classification(**one)]),
        "Detection": lambda one: fo.Detection(**one),
    }[kind]
    add(
        dataset,
        *(
            {"code": code, "pred": made({"label": "a", "probabilities": row})}
            for code, row in rows.items()
        ),
        classes=["a", "b", "c"],
    )
    pool = read(dataset, pred_field="pred", key="code")
    assert pool.objects.confidences.tolist() == [0.34, 0.5, 0.98]
    assert codes(pool)["confidence_of_vectors"] == tuple(rows)
    # By margin, by 1 - confidence, and by the vectors' entropies alike.
    for name in ("margin", "mean_object_confidence", "entropy"):
        assert order(pool, name, of="objects")[0] == "flat"
        assert order(pool, name, of="objects")[-1] == "sure"


@pytest.mark.parametrize("kind", ["Classification", "Regression", "Detections"])
def test_predictions_without_any_confidence_are_not_said_to_hold_one(
    dataset: Any, kind: str
) -> None:
    import fiftyone as fo

    pred = {
        "Classification": classification("a"),
        "Regression": fo.Regression(value=1.0),
        "Detections": fo.Detections(
            detections=[fo.Detection(label="a", bounding_box=[0, 0, 1, 1])]
        ),
    }[kind]
    add(dataset, *({"pred": pred.copy()} for _ in range(2)), classes=["a", "b", "c"])
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred")
    (told,) = (f.message for f in adapter.check() if f.level == "warning")
    sure = "confidence" if kind == "Regression" else "confidence, logits or probabilities"
    assert told == f"pred holds no {sure}."
    pool = adapter.read()
    notices = [*pool.notices, *rank(pool).notices]
    assert not any("one confidence per item" in notice.message for notice in notices)
