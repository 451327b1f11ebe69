"""Members of each kind of Label Studio prediction, read from exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext.ranking import rank
from tests.unit.label_studio_format.test_export import box, choice, read, task

IMAGE = '<Image name="i" value="$text"/>'
CARS = (
    f'<View>{IMAGE}<RectangleLabels name="b" toName="i"><Label value="car"/>'
    '<Label value="bus"/></RectangleLabels></View>'
)
SPECIES = (
    f'<View>{IMAGE}<RectangleLabels name="b" toName="i"><Label value="moth"/></RectangleLabels>'
    '<Choices name="kind" toName="i" perRegion="true"><Choice value="good"/><Choice value="bad"/>'
    "</Choices></View>"
)


def notice(pool: Pool, code: str) -> Any:
    (found,) = [n for n in pool.notices if n.code == code]
    return found


def order(pool: Pool, *arguments: Any, **options: Any) -> list[str]:
    return list(rank(pool, *arguments, **options).item_ids)


def versions(number: int, **regions: Any) -> dict[str, Any]:
    """A task with a prediction of each model version, the first the oldest."""
    found = task(number)
    found["predictions"] = [
        {"id": 10 * number + i, "model_version": v, "created_at": f"2026-01-0{i + 1}", "result": r}
        for i, (v, r) in enumerate(regions.items())
    ]
    return found


# ---- which prediction counts


def test_each_task_has_its_newest_prediction(tmp_path: Path) -> None:
    sure, unsure = [box("car", score=0.9)], [box("car", score=0.5)]
    tasks = [versions(1, m1=sure, m2=unsure), versions(2, m1=unsure), versions(3, m0=sure)]
    pool: Any = read(tmp_path, tasks, CARS)
    assert pool.objects.confidences.tolist() == [0.5, 0.5, 0.9]
    assert not pool.missing.any()
    assert pool.versions == ("newest of each task",)
    assert notice(pool, "mixed_model_versions").message == (
        "The export has predictions of 3 model versions; using each task's newest: m2 (1 task), "
        "m0 (1 task), m1 (1 task)."
    )
    assert read(tmp_path, tasks, CARS, model_version="m1").missing.tolist() == [False, False, True]


def test_the_date_tells_which_is_the_newest_before_the_number(tmp_path: Path) -> None:
    both = versions(1, m1=[box("car", score=0.25)], m2=[box("car", score=0.75)])
    both["predictions"][0]["created_at"] = "2026-03-01T10:00:00+02:00"
    both["predictions"][1]["created_at"] = "2026-03-01T07:59:59Z"
    pool: Any = read(tmp_path, [both], CARS)
    assert pool.objects.confidences.tolist() == [0.25]


def test_versions_on_different_scales_are_warned_about(tmp_path: Path) -> None:
    tasks = [versions(n, m1=[box("car", score=0.90 + n / 100)]) for n in range(1, 7)]
    tasks += [versions(n, m2=[box("car", score=0.2 + n / 100)]) for n in range(7, 13)]
    message = notice(read(tmp_path, tasks, CARS), "mixed_scales").message
    assert "the median of m2 is 0.3, that of m1 is 0.94" in message
    alike = [*tasks[:6], *(versions(n, m2=[box("car", score=0.93)]) for n in range(7, 13))]
    assert "mixed_scales" not in [n.code for n in read(tmp_path, alike, CARS).notices]
    for labelled in tasks[:6]:  # which are not ranked together with the others
        labelled["annotations"] = [{"id": labelled["id"], "result": [box("car")]}]
    assert "mixed_scales" not in [n.code for n in read(tmp_path, tasks, CARS).notices]


def test_detectors_of_different_classes_are_put_together(tmp_path: Path) -> None:
    tasks = [
        versions(1, cars=[box("car", score=0.9)], buses=[box("bus", score=0.5)]),
        versions(2, cars=[box("car", score=0.8), box("car", score=0.7)]),
        task(3),
    ]
    pool: Any = read(tmp_path, tasks, CARS, merge="regions")
    assert pool.objects.confidences.tolist() == [0.5, 0.9, 0.8, 0.7]
    assert pool.objects.class_ids.tolist() == [1, 0, 0, 0]
    assert pool.objects.counts.tolist() == [2, 2, 0]
    assert pool.objects.boxes is not None
    assert pool.missing.tolist() == [False, False, True]
    assert notice(pool, "missing_members").item_ids == ("2",)
    named: Any = read(tmp_path, tasks, CARS, merge="regions", model_version=["cars", "buses"])
    assert named.objects.confidences.tolist() == [0.9, 0.5, 0.8, 0.7]
    with pytest.raises(InvalidInput, match="merge must be left out"):
        read(tmp_path, [task(1, [choice("good", score=0.5)])], merge="regions")


def test_boxes_stay_where_another_merged_version_has_points(tmp_path: Path) -> None:
    points = '<KeyPointLabels name="k" toName="i"><Label value="car"/></KeyPointLabels></View>'
    value = {"x": 5, "y": 5, "width": 1, "keypointlabels": ["car"]}
    point = {"from_name": "k", "to_name": "i", "type": "keypointlabels", "value": value}
    tasks = [versions(1, boxes=[box("car", score=0.9)], points=[{**point, "score": 0.5}])]
    label_config = CARS.replace("</View>", points)
    pool: Any = read(tmp_path, tasks, label_config, merge="regions", from_name=["b", "k"])
    assert pool.objects.confidences.tolist() == [0.5, 0.9]
    assert [all(row) for row in (pool.objects.boxes >= 0).tolist()] == [False, True]


# ---- answers about regions, paths and repetitions


def test_each_region_has_an_answer_of_its_own(tmp_path: Path) -> None:
    sure, unsure = {"probs": {"good": 0.99, "bad": 0.01}}, {"probs": [0.5, 0.5]}
    place = {"x": 50, "y": 50, "width": 10, "height": 10}
    tasks = [
        task(1, [choice("good", value={**place, **sure})]),
        task(2, [choice("good", value={**place, **probs}) for probs in (sure, unsure, unsure)]),
    ]
    swapped = [tasks[0], task(2, tasks[1]["predictions"][0]["result"][::-1])]
    for rows in (tasks, swapped):
        for setup, name in ((SPECIES, "kind"), (None, None)):
            pool: Any = read(tmp_path, rows, setup, from_name=name)
            assert pool.objects.counts.tolist() == [1, 3]
            assert pool.objects.boxes[0].tolist() == [0.5, 0.5, 0.6, 0.6]
            assert order(pool) == ["2", "1"]


def test_answers_of_persons_about_regions_are_the_truth_of_regions(tmp_path: Path) -> None:
    said = [choice("bad"), choice("good")]
    pool: Any = read(tmp_path, [task(1, said=said)], SPECIES, from_name="kind")
    assert pool.truth.class_ids.tolist() == [1, 0]
    assert pool.labels is None


def test_the_identity_of_a_taxonomy_is_its_path(tmp_path: Path) -> None:
    setup = (
        '<View><Text name="text" value="$text"/><Taxonomy name="x" toName="text">'
        '<Choice value="cat"><Choice value="big"/></Choice>'
        '<Choice value="dog"><Choice value="big"/><Choice value="old"/></Choice></Taxonomy></View>'
    )

    def region(probs: Any, *path: str) -> dict[str, Any]:
        value = {"taxonomy": [path], "probs": probs}
        return {"from_name": "x", "to_name": "text", "type": "taxonomy", "value": value}

    probs = {"dog / big": 0.5, "cat/big": 0.25, "old": 0.25}
    pool: Any = read(tmp_path, [task(1, [region(probs, "dog", "big")])], setup)
    assert pool.classes == ("cat", "cat / big", "dog", "dog / big", "dog / old")
    assert pool.probabilities.tolist() == [[0, 0.25, 0, 0.5, 0.25]]
    with pytest.raises(InvalidInput, match="got 'big' for item 1"):  # which of the two?
        read(tmp_path, [task(1, [region({"big": 1.0}, "dog", "big")])], setup)


def pages(*shapes: tuple[str, str, float, int]) -> list[dict[str, Any]]:
    """Boxes at one place, each with from_name, to_name, score and item_index."""
    return [
        {**box("car", score=score), "from_name": name, "to_name": to, "item_index": index}
        for name, to, score, index in shapes
    ]


def test_repetitions_of_a_repeater_are_one_tag(tmp_path: Path) -> None:
    setup = (
        '<View><Repeater on="$pages" indexFlag="{{n}}"><Image name="p_{{n}}" value="$p[{{n}}]"/>'
        '<RectangleLabels name="b_{{n}}" toName="p_{{n}}"><Label value="car"/></RectangleLabels>'
        "</Repeater></View>"
    )
    tasks = [
        task(1, pages(("b_0", "p_0", 0.9, 0), ("b_1", "p_1", 0.8, 0))),
        task(2, pages(("b_11", "p_11", 0.5, 0))),
    ]
    pool: Any = read(tmp_path, tasks, setup)
    assert pool.objects.confidences.tolist() == [0.9, 0.8, 0.5]
    second: Any = read(tmp_path, tasks, setup, from_name="b_1")
    assert second.objects.confidences.tolist() == [0.8]


@pytest.mark.parametrize("by", ["item_index", "to_name"])
def test_boxes_of_different_images_of_a_task_never_meet(tmp_path: Path, by: str) -> None:
    both = [("b", "i", 0.9, 0), ("b", "i" if by == "item_index" else "j", 0.8, 1)]
    said = pages(*both[::-1])
    pool: Any = read(tmp_path, [task(1, pages(*both), said=said)], CARS)
    # side by side: x 0.1 to 0.4 of the first and of the second half
    assert pool.objects.boxes[:, [0, 2]].round(3).tolist() == [[0.05, 0.2], [0.55, 0.7]]
    assert pool.truth.boxes[:, [0, 2]].round(3).tolist() == [[0.55, 0.7], [0.05, 0.2]]


def test_a_list_of_targets_is_read(tmp_path: Path) -> None:
    pool: Any = read(tmp_path, [task(1, [{**box("car", score=0.5), "to_name": ["i"]}])], None)
    assert pool.objects.confidences.tolist() == [0.5]


# ---- tags of every type


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("ParagraphLabels", {"start": "1", "end": "1", "startOffset": 5, "endOffset": 8}),
        ("TimelineLabels", {"ranges": [{"start": 1, "end": 5}]}),
        ("HyperTextLabels", {"start": "/p[1]", "end": "/p[1]", "startOffset": 0}),
        ("KeyPointLabels", {"x": 5, "y": 5, "width": 1}),
        ("BrushLabels", {"format": "rle", "rle": [0, 1]}),
        ("Rectangle", {"x": 1, "y": 1, "width": 1, "height": 1}),
        ("Ellipse", {"x": 9, "y": 9, "radiusX": 1, "radiusY": 1}),
        ("Polygon", {"points": [[0, 0], [1, 1], [0, 1]]}),
        ("KeyPoint", {"x": 5, "y": 5, "width": 1}),
        ("Brush", {"format": "rle", "rle": [0, 1]}),
        ("Vector", {"vertices": [{"x": 1, "y": 1}, {"x": 2, "y": 3}]}),
        ("VideoRectangle", {"sequence": [{"frame": 1, "x": 1, "y": 1}], "labels": None}),
    ],
)
def test_tags_of_parts_are_ranked_with_and_without_labels(
    tmp_path: Path, tag: str, value: dict[str, Any]
) -> None:
    kind = tag.lower()
    labelled = {kind: ["E"]} if kind.endswith("labels") else {}
    tasks = [
        task(
            n,
            [
                {
                    "from_name": "t",
                    "to_name": "i",
                    "type": kind,
                    "score": score,
                    "value": {**value, **labelled},
                }
            ],
        )
        for n, score in ((1, 0.9), (2, 0.5))
    ]
    labels = '<Label value="E"/>' if labelled else ""
    setup = f'<View>{IMAGE}<{tag} name="t" toName="i">{labels}</{tag}></View>'
    for each in (setup, None):
        pool: Any = read(tmp_path, tasks, each)
        assert pool.objects.confidences.tolist() == [0.9, 0.5]
        assert pool.classes == (("E",) if labelled else None)
        assert order(pool, "least_confidence", of="objects") == ["2", "1"]


def test_a_tag_that_is_not_read_is_named(tmp_path: Path) -> None:
    odd = {"from_name": "z", "to_name": ["o"], "type": "unheardof", "score": 0.5, "value": {}}
    with pytest.raises(InvalidInput, match=r"no control tag .* it has z \(unheardof\)"):
        read(tmp_path, [task(1, [odd])], None)


def test_a_region_of_a_tag_that_has_changed_its_type_is_read_by_its_own(tmp_path: Path) -> None:
    setup = CARS.replace("RectangleLabels", "PolygonLabels")
    pool: Any = read(tmp_path, [task(1, [box("bus", score=0.5)])], setup)
    assert pool.objects.class_ids.tolist() == [1]
    assert pool.objects.boxes[0].round(2).tolist() == [0.1, 0.2, 0.4, 0.6]
    choices = '<Choices name="b" toName="i"><Choice value="bus"/><Choice value="car"/></Choices>'
    changed = read(tmp_path, [task(1, [box("bus", score=0.5)])], f"<View>{IMAGE}{choices}</View>")
    assert changed.missing.tolist() == [True]


# ---- scores


def test_one_bad_region_is_left_out_and_the_rest_is_ranked(tmp_path: Path) -> None:
    far = box("car", score=0.5)
    far["value"] = {**far["value"], "x": 640}
    bad = [far, box("car", score="high"), 7, box("tram", score=0.5), box("car")]
    tasks = [task(1, [box("car", score=0.75), *bad])]
    pool: Any = read(tmp_path, tasks, CARS)
    assert pool.objects.confidences.tolist() == [0.75]
    assert notice(pool, "left_out_regions").message == (
        "Left out 3 regions of 1 item that don't match the control tag's format: a region must be "
        "an object; got 7, a shape must overlap its image, in percent; got 640, 20, 670, 60, "
        "score must be a number; got text, 'high'."
    )
    assert "tram" in notice(pool, "left_out_labels").message
    assert notice(pool, "unscored_regions").item_ids == ("1",)


def test_a_region_that_names_no_control_tag_is_counted(tmp_path: Path) -> None:
    nameless = {**box("car", score=0.5), "from_name": None}
    relation = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}
    tasks = [
        task(1, [box("car", score=0.75), nameless, relation]),
        task(2, [nameless]),
        task(3, [box("car", score=0.5)]),
    ]
    pool: Any = read(tmp_path, tasks, CARS)
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert notice(pool, "left_out_regions").message == (
        "Left out 1 region of 1 item that don't match the control tag's format: from_name must be "
        "the name of a control tag; got None."
    )
    assert notice(pool, "broken_regions").item_ids == ("2",)


def test_an_unknown_label_among_many_is_counted(tmp_path: Path) -> None:
    tasks = [task(n, [box("car", score=0.5)]) for n in range(1, 5)]
    tasks[2]["predictions"][0]["result"] = [box("truck", score=0.5)]
    pool = read(tmp_path, tasks, CARS)
    assert pool.missing.tolist() == [False, False, True, False]
    assert notice(pool, "unknown_labels").message == (
        "1 item with predicted labels that control tag 'b' doesn't have; treated as missing: truck."
    )


def test_of_several_labels_of_a_region_the_first_counts(tmp_path: Path) -> None:
    both = box("bus", score=0.5)
    both["value"] = {**both["value"], "rectanglelabels": ["bus", "car"]}
    pool: Any = read(tmp_path, [task(1, [both])], CARS)
    assert pool.objects.class_ids.tolist() == [1]
    assert notice(pool, "several_labels").item_ids == ("1",)


def test_a_score_of_the_prediction_stands_in_and_is_said(tmp_path: Path) -> None:
    mixed = task(1, [box("car", score=0.75), box("car")])
    mixed["predictions"][0]["score"] = 0.5
    pool: Any = read(tmp_path, [mixed], CARS)
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert notice(pool, "stand_in_scores").message == (
        "1 region of 1 item without a score; the prediction's score stands in."
    )


# ---- spans of texts


def span(begin: int, score: float, **value: Any) -> dict[str, Any]:
    value = {"start": begin, "end": begin + 4, "labels": ["PER"], **value}
    return {"from_name": "l", "to_name": "o", "type": "labels", "score": score, "value": value}


def test_long_texts_do_not_win_by_their_number_of_spans(tmp_path: Path) -> None:
    labels = '<Labels name="l" toName="o"><Label value="PER"/></Labels>'
    text = f'<View><Text name="o" value="$text"/>{labels}</View>'
    sound = f'<View><Audio name="o" value="$text"/>{labels}</View>'
    tasks = [task(1, [span(n, 0.9) for n in range(20)]), task(2, [span(0, 0.6)])]
    assert order(read(tmp_path, tasks, text)) == ["2", "1"]
    pool: Any = read(tmp_path, tasks, sound)
    assert not pool.objects.spans
    assert order(pool) == ["1", "2"]
    derived: Any = read(tmp_path, [task(1, [span(0, 0.9, text="Anna")])], None)
    assert derived.objects.spans


def test_each_page_of_a_repeater_is_an_answer_of_its_own(tmp_path: Path) -> None:
    setup = (
        '<View><Repeater on="$pages" indexFlag="{{i}}"><Text name="p_{{i}}" '
        'value="$pages[{{i}}].t"/><Choices name="c_{{i}}" toName="p_{{i}}"><Choice value="good"/>'
        '<Choice value="bad"/></Choices></Repeater></View>'
    )

    def page(number: int, score: float) -> dict[str, Any]:
        return {**choice("bad", score=score), "from_name": f"c_{number}", "to_name": f"p_{number}"}

    tasks = [
        task(1, [page(0, 0.9), page(1, 0.95)]),
        task(2, [page(0, 0.9), page(1, 0.5)]),
        task(3, [page(0, 0.7)]),
    ]
    pool: Any = read(tmp_path, tasks, setup)
    assert pool.objects.counts.tolist() == [2, 2, 1]
    # Entropies 0.325 + 0.199, 0.325 + 0.693 and 0.611 nats.
    assert order(pool) == ["2", "3", "1"]
    one: Any = read(tmp_path, tasks, setup, from_name="c_0")
    assert one.probabilities[:, 1].tolist() == pytest.approx([0.9, 0.9, 0.7])
