"""Label Studio's control tags and people's labels, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from labelnext.acquisition import localisation_stability
from labelnext.errors import InvalidInput
from labelnext.pool import Pool

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

Json = dict[str, Any]


def labels(tag: str) -> str:
    return f'<{tag} name="x" toName="o"><Label value="a"/><Label value="b"/></{tag}>'


def shape(kind: str, value: Json, to: str = "o") -> Json:
    """A region of the control tag x, as a model writes it."""
    return {
        "from_name": "x",
        "to_name": to,
        "type": kind,
        "original_width": 200,
        "original_height": 100,
        "score": 0.75,
        "value": value,
    }


IMAGE = '<Image name="o" value="$o"/>'
TEXT = '<Text name="o" value="$o"/>'
AUDIO = '<Audio name="o" value="$o"/>'
VIDEO = '<Video name="o" value="$o"/>'
SERIES = '<TimeSeries name="o" value="$o" valueType="json"><Channel column="c"/></TimeSeries>'
HTML = '<HyperText name="o" value="$o"/>'

# The object and control tags, a region, its class and its box, worked out by hand.
SHAPES: dict[str, tuple[str, Json, int, tuple[float, ...] | None]] = {
    "RectangleLabels": (
        IMAGE + labels("RectangleLabels"),
        shape(
            "rectanglelabels",
            {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["b"]},
        ),
        1,
        (0.1, 0.2, 0.4, 0.6),
    ),
    "PolygonLabels": (
        IMAGE + labels("PolygonLabels"),
        shape(
            "polygonlabels",
            {"points": [[10, 20], [50, 25], [30, 60]], "closed": True, "polygonlabels": ["b"]},
        ),
        1,
        (0.1, 0.2, 0.5, 0.6),
    ),
    # 200 x 100 pixels: radii of 20 and 20 pixels about (100, 50); a circle does not mind turning.
    "EllipseLabels": (
        IMAGE + labels("EllipseLabels"),
        shape(
            "ellipselabels",
            {
                "x": 50,
                "y": 50,
                "radiusX": 10,
                "radiusY": 20,
                "rotation": 30,
                "ellipselabels": ["a"],
            },
        ),
        0,
        (0.4, 0.3, 0.6, 0.7),
    ),
    "VectorLabels": (
        IMAGE + labels("VectorLabels"),
        shape(
            "vectorlabels",
            {
                "vertices": [
                    {"x": 50, "y": 20, "id": "1", "isBezier": False},
                    {"x": 10, "y": 60, "id": "2", "isBezier": False, "prevPointId": "1"},
                ],
                "closed": False,
                "vectorlabels": ["b"],
            },
        ),
        1,
        (0.1, 0.2, 0.5, 0.6),
    ),
    "OcrLabels": (
        IMAGE + labels("OcrLabels"),
        shape(
            "ocrlabels",
            {"x": 10, "y": 20, "width": 30, "height": 40, "ocrtext": "No 7", "ocrlabels": ["b"]},
        ),
        1,
        (0.1, 0.2, 0.4, 0.6),
    ),
    "BitmaskLabels": (
        IMAGE + labels("BitmaskLabels"),
        shape(
            "bitmasklabels",
            {"imageDataURL": "data:image/png;base64,iVBORw0KGgo=", "bitmasklabels": ["a"]},
        ),
        0,
        None,
    ),
    "KeyPointLabels": (
        IMAGE + labels("KeyPointLabels"),
        shape("keypointlabels", {"x": 10, "y": 20, "width": 1, "keypointlabels": ["b"]}),
        1,
        None,
    ),
    "BrushLabels": (
        IMAGE + labels("BrushLabels"),
        shape("brushlabels", {"format": "rle", "rle": [0, 0, 0, 8], "brushlabels": ["a"]}),
        0,
        None,
    ),
    "Labels of text": (
        TEXT + labels("Labels"),
        shape("labels", {"start": 0, "end": 4, "text": "Anna", "labels": ["b"]}),
        1,
        None,
    ),
    "Labels of audio": (
        AUDIO + labels("Labels"),
        shape("labels", {"start": 0.5, "end": 1.5, "channel": 0, "labels": ["b"]}),
        1,
        None,
    ),
    "HyperTextLabels": (
        HTML + labels("HyperTextLabels"),
        shape(
            "hypertextlabels",
            {
                "start": "/p[1]/text()[1]",
                "end": "/p[1]/text()[1]",
                "startOffset": 0,
                "endOffset": 4,
                "hypertextlabels": ["a"],
            },
        ),
        0,
        None,
    ),
    "TimeSeriesLabels": (
        SERIES + labels("TimeSeriesLabels"),
        shape(
            "timeserieslabels",
            {"start": 1, "end": 2, "instant": False, "timeserieslabels": ["b"]},
        ),
        1,
        None,
    ),
    "VideoRectangle": (
        VIDEO
        + '<VideoRectangle name="x" toName="o"/>'
        + labels("Labels").replace('name="x"', 'name="y"'),
        shape(
            "videorectangle",
            {
                "framesCount": 10,
                "duration": 1.0,
                "sequence": [
                    {
                        "frame": 1,
                        "enabled": True,
                        "rotation": 0,
                        "x": 1,
                        "y": 1,
                        "width": 5,
                        "height": 5,
                    }
                ],
                "labels": ["b"],
            },
        ),
        1,
        None,
    ),
    "TextArea": (
        TEXT + '<TextArea name="x" toName="o"/>',
        shape("textarea", {"text": ["a summary"]}),
        -1,
        None,
    ),
    "DateTime": (
        TEXT + '<DateTime name="x" toName="o" only="date"/>',
        shape("datetime", {"datetime": "2026-11-22"}),
        -1,
        None,
    ),
    "Ranker": (
        '<List name="o" value="$o" title="Best first"/><Ranker name="x" toName="o"/>',
        shape("ranker", {"ranker": {"x": ["second", "first"]}}),
        -1,
        None,
    ),
    "ReactCode": (
        TEXT + '<ReactCode name="x" toName="o"/>',
        shape("reactcode", {"reactcode": {"grade": 3}}),
        -1,
        None,
    ),
    "Number": (TEXT + '<Number name="x" toName="o"/>', shape("number", {"number": 4.5}), -1, None),
}


def predicted(region: Json, version: str = "m1") -> Json:
    return {"model_version": version, "result": [region]}


def read(label_studio: LabelStudio, connect: Open, config: str, region: Json) -> Pool:
    """A task with that prediction and one with none."""
    project = label_studio.create_project(f"<View>{config}</View>", [{"data": {"o": "x"}}] * 2)
    first, _ = label_studio.task_ids(project)
    label_studio.api("POST", "/api/predictions/", {"task": first, **predicted(region)})
    pool: Pool = connect(project).read()
    assert pool.missing.tolist() == [False, True]
    return pool


@pytest.mark.parametrize("tag", SHAPES)
def test_regions_are_objects_with_their_class_confidence_and_box(
    label_studio: LabelStudio, connect: Open, tag: str
) -> None:
    config, region, class_id, box = SHAPES[tag]
    pool = read(label_studio, connect, config, region)
    objects: Any = pool.objects
    assert objects.confidences.tolist() == [0.75]
    assert objects.class_ids.tolist() == [class_id]
    assert pool.classes == (None if class_id < 0 else ("a", "b"))
    if box is None:
        assert objects.boxes is None
    else:
        np.testing.assert_allclose(objects.boxes, [box], atol=1e-12)


@pytest.mark.parametrize(
    ("config", "region", "classes", "row"),
    [
        (
            '<Taxonomy name="x" toName="o"><Choice value="A"><Choice value="B"/></Choice>'
            '<Choice value="C"/></Taxonomy>',
            shape(
                "taxonomy", {"taxonomy": [["A", "B"]], "probs": {"B": 0.5, "C": 0.25, "A": 0.25}}
            ),
            ("A", "A / B", "C"),
            [0.25, 0.5, 0.25],
        ),
        (
            '<Rating name="x" toName="o" maxRating="3"/>',
            shape("rating", {"rating": 3, "probs": [0.25, 0.25, 0.5]}),
            ("1", "2", "3"),
            [0.25, 0.25, 0.5],
        ),
        (
            '<Text name="p" value="$o"/><Pairwise name="x" toName="o,p"/>',
            shape("pairwise", {"selected": "right"}),
            ("left", "right"),
            [0.25, 0.75],
        ),
    ],
    ids=["Taxonomy", "Rating", "Pairwise"],
)
def test_tags_of_whole_items_give_a_distribution(
    label_studio: LabelStudio,
    connect: Open,
    config: str,
    region: Json,
    classes: tuple[str, ...],
    row: list[float],
) -> None:
    pool = read(label_studio, connect, TEXT + config, region)
    assert pool.classes == classes
    assert pool.probabilities is not None
    assert pool.probabilities[0].tolist() == row


TWO_SHAPES = (
    IMAGE
    + labels("RectangleLabels")
    + '<PolygonLabels name="y" toName="o"><Label value="b"/><Label value="c"/></PolygonLabels>'
)


def test_several_tags_of_objects_are_read_together(
    label_studio: LabelStudio, connect: Open
) -> None:
    box = SHAPES["RectangleLabels"][1]
    polygon = {**SHAPES["PolygonLabels"][1], "from_name": "y", "score": 0.5}
    tasks = [{"data": {"o": "x"}, "predictions": [{**predicted(box), "result": [polygon, box]}]}]
    project = label_studio.create_project(f"<View>{TWO_SHAPES}</View>", tasks)
    with pytest.raises(InvalidInput, match="source.from_name must be one of .*; it is not set"):
        connect(project).read()
    pool: Any = connect(project, from_name=["x", "y"]).read()
    assert pool.classes == ("a", "b", "c")
    assert pool.objects.class_ids.tolist() == [1, 1]  # one name is one class
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert connect(project, from_name="y").read().objects.confidences.tolist() == [0.5]


def test_the_only_tag_with_predictions_needs_no_name(
    label_studio: LabelStudio, connect: Open
) -> None:
    polygon = {**SHAPES["PolygonLabels"][1], "from_name": "y", "score": 0.5}
    tasks = [{"data": {"o": "x"}, "predictions": [{"model_version": "m", "result": [polygon]}]}]
    project = label_studio.create_project(f"<View>{TWO_SHAPES}</View>", tasks)
    adapter = connect(project)
    pool: Any = adapter.read()
    assert pool.classes == ("b", "c")
    assert pool.objects.confidences.tolist() == [0.5]
    (notice,) = [n for n in pool.notices if n.code == "only_predicted"]
    assert notice.message == (
        "Reading control tag 'y', because there are no scored predictions of x in the first 100 "
        "tasks that have any; set source.from_name to read another."
    )
    assert any("Reading predictions of y " in finding.message for finding in adapter.check())


def test_polygons_of_two_versions_are_compared_by_their_pixels(
    label_studio: LabelStudio, connect: Open
) -> None:
    # Two triangles that share a box: its halves, left and right of the diagonal.
    ends = [[[0, 0], [100, 0], [0, 100]], [[100, 0], [100, 100], [0, 100]]]
    versions = [
        {
            "model_version": f"m{i}",
            "result": [shape("polygonlabels", {"points": points, "polygonlabels": ["a"]})],
        }
        for i, points in enumerate(ends)
    ]
    tasks = [{"data": {"o": "x"}, "predictions": versions}]
    config = f"<View>{IMAGE + labels('PolygonLabels')}</View>"
    project = label_studio.create_project(config, tasks)
    pool: Any = connect(project, model_version=["m0", "m1"]).read()
    (first, second) = (v.masks[0]["size"] for v in pool.objects)
    assert first == second == (100, 200)
    np.testing.assert_allclose(pool.objects[0].boxes, pool.objects[1].boxes, atol=0.02)
    assert localisation_stability(pool.objects).tolist() == [0.0]
