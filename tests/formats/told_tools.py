"""What the files of `make_tools` and `make_clouds` say of their images, without labelnext."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.formats.told import Odd, Told, distribution, each, loaded, sure, sure_text

#: The keys of each tool's lists of objects, and of their confidences.
_LISTS = ("detections", "objects", "shapes", "instances", "boxes", "predictions", "CustomLabels",
          "localizedObjectAnnotations", "regions")  # fmt: skip
_SURE = ("conf", "confidence", "score", "probability", "Confidence")
_NAMES = (
    "filepath",
    "file",
    "filename",
    "imagePath",
    "file_name",
    "image_id",
    "key",
    "input_path",
    "image",
    "custom_id",
    "comment_id",
    "source-ref",
    "id",
)


def images(place: Path) -> Iterator[tuple[Any, Any]]:
    """What each image of a folder, an object or a list is told."""
    if (place / "samples.json").exists():
        place = place / "samples.json"
    if place.is_dir():
        for path in sorted(p for p in place.rglob("*.*") if p.suffix in (".json", ".out")):
            one = loaded(path)
            yield one.get("imagePath", one.get("input_path", path.stem)), one
        return
    value = loaded(place)
    for wrapper in ("images", "predictions", "responses", "samples", "_via_img_metadata", "results",
                    "documents", "items"):  # fmt: skip
        value = value.get(wrapper, value) if isinstance(value, dict) else value
    if isinstance(value, dict) and all("regions" in one for one in value.values()):
        value = list(value.values())
    if isinstance(value, dict):
        yield from value.items()
        return
    for one in value:
        if "instance" in one or "context" in one:
            yield one["instance"]["content"] if "instance" in one else one["context"]["uri"], one
        elif "annotations" in one and "image" in one:
            yield one["id"], one
        elif "params" in one:
            yield one["params"]["attachment"], one
        elif "Line" in one:
            yield f"{one['File']}:{one['Line']}", one
        else:
            (name,) = [one[key] for key in (*_NAMES, "File") if key in one]
            yield name, one


def confidences(one: dict[str, Any]) -> list[float]:
    """The confidences of an image's objects; of its classes, the largest."""
    if (found := of_services(one)) is not None:
        return found
    if "item" in one:
        return [sure(row["inference"]["confidence"]) for row in one["annotations"]]
    if "filepath" in one:
        return of_fiftyone(one.get("predictions", one.get("model")))
    if "size" in one and "objects" in one:
        return [sure(tag["value"]) for row in one["objects"] for tag in row["tags"]]
    if isinstance(one.get("annotations"), list) and "image" in one:
        return [sure(row["attributes"]["score"]) for row in one["annotations"]]
    if isinstance(one.get("regions"), dict):
        one = {"regions": list(one["regions"].values())}
    if "regions" in one:
        return [float(row["region_attributes"]["score"]) for row in one["regions"]]
    if "detection_scores" in one:
        scores, count = one["detection_scores"], one["num_detections"]
        if isinstance(count, list):
            (scores,), (count,) = scores, count
        return [sure(value) for value in scores[: int(count)]]
    lists = [one[key] for key in _LISTS if isinstance(one.get(key), list)]
    if len(lists) == 1 and "tagId" in str(lists[0]) and "boundingBox" not in str(lists[0]):
        return distribution([sure(row["probability"]) for row in lists[0]])
    if len(lists) == 1:
        keys = [[key for key in _SURE if key in row] for row in lists[0]]
        if any(len(key) != 1 for key in keys):
            raise Odd
        return [_of_100(row, key) for row, (key,) in zip(lists[0], keys, strict=True)]
    return _of_lists(one)


def of_services(one: dict[str, Any]) -> list[float] | None:
    """The confidences in responses about texts, of Scale and of SageMaker; None of others."""
    if "drawn-metadata" in one:
        return [sure(row["confidence"]) for row in one["drawn-metadata"]["objects"]]
    if "kind-metadata" in one:
        return [sure(one["kind-metadata"]["confidence"])]
    if "Entities" in one:
        return [sure(row["Score"]) for row in one["Entities"]]
    if "SageMakerOutput" in one:
        return distribution([sure(v) for v in one["SageMakerOutput"]["probabilities"]])
    if isinstance(one.get("prediction"), list):
        return [sure(row[1]) for row in one["prediction"]]
    if "confidenceScores" in one:
        return distribution([sure(value) for value in one["confidenceScores"].values()])
    if "categories" in one.get("response", {}):
        return distribution([sure(row["confidence"]) for row in one["response"]["categories"]])
    if "annotations" in one.get("response", {}):
        return [sure(row["confidence"]) for row in one["response"]["annotations"]]
    return None


def of_fiftyone(field: dict[str, Any]) -> list[float]:
    """The confidences of a field of a sample."""
    if field["_cls"] == "Classification":
        return [sure(field["confidence"])]
    return [sure(row["confidence"]) for row in field["detections"]]


def _of_lists(one: dict[str, Any]) -> list[float]:
    if isinstance(one.get("prediction"), dict):
        one = one["prediction"]
        if "bboxes" in one:
            return [sure(value) for value in one["confidences"]]
        return distribution([sure(value) for value in one["confidences"]])
    if "Classes" in one:
        return distribution([sure(row["Score"]) for row in one["Classes"]])
    if "SentimentScore" in one:
        return distribution([sure(value) for value in one["SentimentScore"].values()])
    if "Labels" in one:
        rows = [row for label in one["Labels"] for row in label["Instances"]]
        if any(
            row["Confidence"] != label["Confidence"]
            for label in one["Labels"]
            for row in label["Instances"]
        ):
            raise Odd
        return [_of_100(row, "Confidence") for row in rows]
    if "class_ids" in one:
        return distribution([sure(value) for value in one["scores"]])
    inside = one.get("instances", one)
    return [sure(value) for value in inside["scores"]]


def _of_100(row: dict[str, Any], key: str) -> float:
    return sure(row[key] / 100) if key == "Confidence" else sure(row[key])


def tool(place: Path) -> Told:
    return each((name, lambda one=one: confidences(one)) for name, one in images(place))


def box_lines(place: Path) -> Told:
    """Lines of a word, a confidence and a box; the word is the image in files of one class.

    The confidence of a box of numpy stands before the class, that of MOT after the frame and box.
    """
    where = {"middle": -1, "kitti": -1, "boxes": 4, "mot": 6}.get(place.name, 1)
    told: Told = {}
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        by_class = path.stem.startswith(("comp4", "Task1"))
        by_frame = place.name == "mot"
        if not by_class and not by_frame:
            told[path.stem] = []
        for line in path.read_text().splitlines():
            words = line.replace(",", " ").split()
            number = sure(float(words[where]))
            told.setdefault(words[0] if by_class or by_frame else path.stem, []).append(number)
    return told


def fasttext(place: Path) -> Told:
    """The probabilities of each line, if there are as many as on the first."""
    rows = [line.split() for line in place.read_text().split("\n")]
    pairs = [list(zip(row[::2], row[1::2], strict=False)) for row in rows]
    told: Told = {}
    for number, (row, found) in enumerate(zip(rows, pairs, strict=True)):
        if len(row) != len(rows[0]) or len({name for name, _ in found}) < len(found):
            continue
        if not all(
            name.startswith("__label__") and name[9:] in ("cat", "dog") for name, _ in found
        ):
            continue
        numbers = [sure_text(text) for _, text in found]
        told[str(number)] = numbers if len(found) == 1 else distribution(numbers)
    return told


FAMILIES = (
    "megadetector", "darknet", "labelme", "detectron2", "tensorflow", "paddle", "cloud", "fiftyone",
    "via", "datumaro", "supervisely", "darwin",
)  # fmt: skip
READERS: dict[str, Callable[[Path], Told]] = dict.fromkeys(FAMILIES, tool)
READERS |= {"voc-text": box_lines, "fasttext": fasttext}
