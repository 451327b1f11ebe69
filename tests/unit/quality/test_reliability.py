"""Calibration of stored predictions: by hand, by identities, and against plain loops."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from labelnext.acquisition.matching import hits
from labelnext.config import load_config
from labelnext.pool import Objects, Pool
from labelnext.quality.calibrated import calibrated_ranking
from labelnext.quality.calibration import brier_score, negative_log_likelihood
from labelnext.quality.reliability import trust
from labelnext.ranking import rank
from labelnext.runs.ranked import rank_pool
from labelnext.runs.run import run

RNG = np.random.default_rng(0)
ROWS = RNG.dirichlet(np.ones(3), 200)
LABELS = np.array([RNG.choice(3, p=row) for row in ROWS])


def test_trust_without_labels_or_with_few_is_silent() -> None:
    assert trust(Pool([], probabilities=np.empty((0, 2)), labels=[])) == []
    assert trust(Pool(range(20), probabilities=[[0.5, 0.5]] * 20)) == []
    assert trust(Pool(range(9), probabilities=[[0.5, 0.5]] * 9, labels=[0] * 9)) == []


def test_trust_by_hand() -> None:
    # ten items at .8, six right: gap .2; Brier (6·.04 + 4·.64)·2/10; NLL (6·−ln .8 + 4·−ln .2)/10
    (found,) = trust(Pool(range(10), probabilities=[[0.8, 0.2]] * 10, labels=[0] * 6 + [1] * 4))
    assert (found.n, found.confidence, found.accuracy) == (10, pytest.approx(0.8), 0.6)
    assert found.ece == pytest.approx(0.2)
    assert found.brier == pytest.approx(0.56)
    assert found.nll == pytest.approx(-(6 * math.log(0.8) + 4 * math.log(0.2)) / 10)
    first, second = found.classes
    assert (first.name, first.n, second.n) == ("0", 6, 4)
    assert first.nll == pytest.approx(-math.log(0.8))
    assert second.ece == pytest.approx(0.2)  # says .2, is .4


def test_classes_add_up_to_the_whole() -> None:
    (found,) = trust(Pool(range(200), probabilities=ROWS, labels=LABELS))
    assert sum(c.brier for c in found.classes) == pytest.approx(brier_score(ROWS, LABELS))
    weighted = sum(c.n * c.nll for c in found.classes) / 200
    assert weighted == pytest.approx(negative_log_likelihood(ROWS, LABELS))
    assert np.mean([c.ece for c in found.classes]) == pytest.approx(found.classwise_ece)


def test_class_error_agrees_with_a_plain_loop() -> None:
    (found,) = trust(Pool(range(200), probabilities=ROWS, labels=LABELS))
    for position, own in enumerate(found.classes):
        total = 0.0
        for b in range(15):
            inside = [i for i in range(200) if b / 15 < ROWS[i][position] <= (b + 1) / 15]
            if inside:
                says = sum(ROWS[i][position] for i in inside) / len(inside)
                is_so = sum(LABELS[i] == position for i in inside) / len(inside)
                total += len(inside) / 200 * abs(says - is_so)
        assert own.ece == pytest.approx(total)


def test_each_version_has_its_own_calibration() -> None:
    flat = np.full_like(ROWS, 1 / 3)
    pool = Pool(range(200), probabilities=np.stack([ROWS, flat]), labels=LABELS)
    first, second = trust(pool)
    assert (first.version, second.version) == (1, 2)
    assert second.nll == pytest.approx(math.log(3))
    assert (first.name, second.name) == ("1", "2")
    named = replace(pool, versions=["spring", "autumn"])
    assert [found.name for found in trust(named)] == ["spring", "autumn"]


def boxes(n: int = 10) -> tuple[Objects, Objects]:
    """In each image two sure boxes, of which the second has the wrong class or no partner."""
    predicted = np.tile([[0, 0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]], (n, 1))
    offsets = 2 * np.arange(n + 1)
    found = Objects(offsets, np.tile([0.9, 0.7], n), class_ids=[0, 1] * n, boxes=predicted)
    moved = predicted + np.tile([[0.02, 0, 0.02, 0], [0, 0, 0, 0]], (n, 1))
    return found, Objects(offsets, np.ones(2 * n), class_ids=[0, 0] * n, boxes=moved)


def test_hit_needs_overlap_and_class_and_a_partner_of_its_own() -> None:
    found, truth = boxes(1)
    assert hits(found, truth).tolist() == [True, False]
    assert hits(found, truth, iou=0.95).tolist() == [False, False]
    twice = Objects([0, 2], [0.9, 0.8], boxes=[[0, 0, 0.4, 0.4]] * 2)
    one = Objects([0, 1], [1.0], boxes=[[0, 0, 0.4, 0.4]])
    assert hits(twice, one).sum() == 1
    assert hits(twice, Objects([0, 0], [], boxes=np.empty((0, 4)))).sum() == 0


def test_objects_are_compared_with_labelled_boxes() -> None:
    found, truth = boxes()
    pool = Pool(range(10), objects=found, truth=truth, labelled=[True] * 10, classes=["a", "b"])
    (measured,) = trust(pool)
    assert (measured.of, measured.n) == ("objects", 20)
    assert measured.accuracy == 0.5
    # ten at .9 all right: gap .1; ten at .7 all wrong: gap .7
    assert measured.ece == pytest.approx(0.4)
    assert measured.brier == pytest.approx((0.01 + 0.49) / 2)
    assert [(c.name, c.n, round(c.ece, 6)) for c in measured.classes] == [
        ("a", 10, 0.1),
        ("b", 10, 0.7),
    ]
    assert measured.nll == pytest.approx(-(math.log(0.9) + math.log(0.3)) / 2)


def test_objects_of_unlabelled_images_do_not_count() -> None:
    found, truth = boxes()
    done = [True] * 6 + [False] * 4
    (measured,) = trust(Pool(range(10), objects=found, truth=truth, labelled=done))
    assert measured.n == 12


def test_images_with_too_many_boxes_to_match_cost_the_calibration_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boxes = Objects([0, 20], [0.9] * 20, class_ids=[0] * 20, boxes=[[0, 0, 1, 1]] * 20)
    pool = Pool(["a"], objects=boxes, truth=boxes)
    assert [version.n for version in trust(pool)] == [20]
    monkeypatch.setattr("labelnext.acquisition.overlap.MOST_PAIRS", 399)
    assert trust(pool) == []


def test_report_shows_the_reliability_of_every_version(tmp_path) -> None:
    lines = [
        {"item_id": i, "probabilities": row.tolist(), "label": int(label) if i < 100 else None}
        for i, (row, label) in enumerate(zip(ROWS, LABELS, strict=True))
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, lines)))
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: items.jsonl}\n")
    report = run(config)
    (found,) = json.loads(report.to_json())["calibration"]
    assert found["n"] == 100
    assert sum(found["bins"]["counts"]) == 100
    assert "calibration on 100 labelled items" in report.to_text()
    page = (tmp_path / "labelnext-report.html").read_text()
    assert "Can you trust the confidences?" in page
    assert page.count("share that was right") >= 1


def test_report_calls_each_version_by_its_name(tmp_path) -> None:
    setup = """<View><Text name="t" value="$t"/><Choices name="c" toName="t">
      <Choice value="a"/><Choice value="b"/></Choices></View>"""
    (tmp_path / "setup.xml").write_text(setup)
    region = {"from_name": "c", "to_name": "t", "type": "choices"}

    def result(*probs: float) -> list[dict[str, object]]:
        return [{**region, "value": {"choices": ["a"], "probs": probs}}]

    tasks = [
        {
            "id": i,
            "data": {"t": "x"},
            "predictions": [
                {"id": 2 * i, "model_version": "spring", "result": result(0.6, 0.4)},
                {"id": 2 * i + 1, "model_version": "autumn", "result": result(0.9, 0.1)},
            ],
            "annotations": [{"id": i, "result": result()}] if i < 12 else [],
        }
        for i in range(1, 14)
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    config = tmp_path / "labelnext.yaml"
    source = "adapter: files, path: export.json, label_config: setup.xml"
    config.write_text(
        f"source: {{{source}, model_version: [spring, autumn]}}\nacquisition: {{name: bald}}\n"
    )
    report = run(config)
    assert [(c["name"], c["confidence"]) for c in report.calibration] == [
        ("spring", pytest.approx(0.6)),
        ("autumn", pytest.approx(0.9)),
    ]
    assert "calibration of version autumn on 11 labelled items" in report.to_text()
    page = (tmp_path / "labelnext-report.html").read_text()
    assert "Can you trust the confidences? Version spring" in page


def test_change_of_the_order_is_spearmans_correlation_and_the_shared_batch() -> None:
    labels = np.where(np.arange(200) < 100, LABELS, -1)
    sharp = ROWS**3 / (ROWS**3).sum(axis=1, keepdims=True)
    pool = Pool(range(200), probabilities=sharp, labels=labels)

    def entropy(items: Pool):
        return rank(items, "entropy", budget=20)

    raw, new = entropy(pool), calibrated_ranking(pool, entropy)
    places = {item: place for place, item in enumerate(raw.pool_order.tolist())}
    correlation = spearmanr(range(100), [places[i] for i in new.pool_order.tolist()])[0]
    shared = len({*raw.item_ids.tolist()} & {*new.item_ids.tolist()})
    (notice,) = new.notices
    assert f"rank correlation {correlation:.3f}" in notice.message
    assert f"{shared} of 20 items in the batch unchanged" in notice.message
    assert 0 < correlation < 1


def settings(**acquisition: object):
    source = {"adapter": "files", "path": "unused"}
    return load_config({"source": source, "acquisition": acquisition})


def test_saturation_is_warned_of_without_labels_in_every_case() -> None:
    rows = np.tile([1.0, 0.0], (10, 1))
    auto = rank_pool(settings(calibrate="auto"), Pool(range(10), probabilities=rows))
    assert [n.code for n in auto.notices] == ["calibration_skipped", "saturated"]
    sure = Objects(np.arange(11), np.full(10, 0.9999))
    detector = rank_pool(settings(name="mean_object_confidence"), Pool(range(10), objects=sure))
    (notice,) = detector.notices
    assert "100% of the object confidences are above 0.999" in notice.message


def test_calibrate_auto_says_that_objects_are_left_alone() -> None:
    some = Objects(np.arange(11), np.linspace(0.1, 0.9, 10))
    asked = settings(name="mean_object_confidence", calibrate="auto")
    (notice,) = rank_pool(asked, Pool(range(10), objects=some)).notices
    assert notice.code == "calibration_skipped"
