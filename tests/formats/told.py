"""What a file says of its items, by the plainest lines that can read it, without labelnext.

Each reader gives the confidences of an item's objects, or of its classes. An item of which anything
is odd has none: only the items that are plainly told are compared.
"""

from __future__ import annotations

import csv
import json
import math
import pickle
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgpack
import numpy as np
import pyarrow.feather
import pyarrow.parquet

Told = dict[str, list[float]]

#: Keys that hold an image's name, and those of what was predicted of it.
_NAMES = ("file_name", "image_path", "img_path", "image", "file", "item_id", "id")
_OUTPUTS = ("predictions", "output", "entities")


class Odd(Exception):
    """The plain lines don't read this."""


def sure(value: Any) -> float:
    """A confidence, if it plainly is one."""
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise Odd
    return float(value)


def sure_text(text: Any) -> float:
    if not isinstance(text, str) or not text.replace(".", "", 1).isascii():
        raise Odd
    if not text.replace(".", "", 1).isdigit():
        raise Odd
    return sure(float(text))


def plain_id(value: Any) -> str:
    if type(value) not in (int, str) or value == "" or "\0" in str(value):
        raise Odd
    return str(value)


def each(found: Iterator[tuple[Any, Callable[[], list[float]]]]) -> Told:
    """The items that are plainly told once."""
    told: Told = {}
    met = Counter[str]()
    for name, read in found:
        try:
            item = plain_id(name)
        except Odd:
            continue
        met[item] += 1
        try:
            told[item] = read()
        except (Odd, LookupError, TypeError, AttributeError, ValueError, OverflowError):
            met[item] += 1
    return {item: told[item] for item in told if met[item] == 1}


def named(record: Any) -> Any:
    names = [record[key] for key in _NAMES if key in record] if isinstance(record, dict) else []
    if isinstance(record, dict) and isinstance(record.get("image"), dict):
        names = [record["image"]["name"]] if "name" in record["image"] else []
    return names[0] if len(names) == 1 else None


def documents(place: Path) -> Iterator[tuple[Any, Any]]:
    """What each image of a folder, an object or a list is told."""
    if place.is_dir():
        for path in sorted(place.rglob("*.json")):
            yield path.stem, json.loads(path.read_bytes())
        return
    value = pickle.loads(place.read_bytes()) if place.suffix == ".pkl" else loaded(place)
    if place.name == "outputs.json":
        value = value["outputs"]
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        named_ones = [named(one) for one in value]
        known = any(name is not None for name in named_ones)
        for position, one in enumerate(value):
            yield named_ones[position] if known else str(position), one


def loaded(place: Path) -> Any:
    text = place.read_bytes().decode("utf-8")
    if place.suffix in (".jsonl", ".manifest") or place.name.endswith(".jsonl.out"):
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return json.loads(text)


def of_documents(place: Path, read: Callable[[Any], list[float]]) -> Told:
    return each((name, lambda one=one: read(one)) for name, one in documents(place))


def arrays(one: Any) -> list[float]:
    """MMDetection, torchvision and supervision: parallel lists of one length."""
    inner = one.get("pred_instances", one)
    lengths = {len(inner[key]) for key in inner if key in ("labels", "boxes", "bboxes", "xyxy")}
    scores = [key for key in ("scores", "confidence") if key in inner]
    found = [sure(value) for value in inner[scores[0]]]
    if len(scores) != 1 or lengths - {len(found)}:
        raise Odd
    return found


def by_class(one: Any) -> list[float]:
    """MMDetection before version 3: an array of boxes with scores for each class."""
    if not isinstance(one, list) or any(a.ndim != 2 or a.shape[1] != 5 for a in one):
        raise Odd
    return [sure(float(value)) for boxes in one for value in boxes[:, 4]]


def results(one: Any) -> list[float]:
    """Ultralytics and Roboflow: records with a confidence."""
    if isinstance(one, dict):
        blocks = [one[key] for key in ("model_predictions", "boxes") if key in one]
        (one,) = blocks or [one]
    while isinstance(one, dict):
        one = one["predictions"]
    if isinstance(one, str):
        one = json.loads(one)
    return [sure(record["confidence"]) for record in one]


def sink(place: Path) -> Told:
    """supervision: one row a detection."""
    text = place.read_bytes().decode("utf-8")
    rows = json.loads(text) if place.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    names = {"file_name", "frame_index", "image", "photo"}
    told: Told = {}
    odd = set[str]()
    for row in rows:
        own = [key for key in row if key in names]
        try:
            item = plain_id(row[own[0]])
            value = row["confidence"]
            number = sure_text(value) if place.suffix == ".csv" else sure(value)
            told.setdefault(item, []).append(number)
        except (Odd, LookupError):
            odd |= {str(row[key]) for key in own}
    return {item: found for item, found in told.items() if item not in odd}


def yolo(place: Path) -> Told:
    """The number of each line that is its confidence, by the name without an ending."""
    where = {"track": -2, "classify": 0, "second": 1}.get(place.name, -1)

    def read(path: Path) -> list[float]:
        lines = path.read_bytes().decode("ascii").splitlines()
        words = [line.replace(",", " ").split() for line in lines if line.strip()]
        if place.name == "classify":
            return [sure_text(line[0]) for line in words]
        if any(len(line) < 6 or not line[0].isdigit() for line in words):
            raise Odd
        return [sure_text(line[where]) for line in words]

    texts = [p for p in sorted(place.rglob("*.txt")) if p.name != "classes.txt"]
    return each((path.stem, lambda path=path: read(path)) for path in texts)


def cvat(place: Path) -> Told:
    def read(image: ElementTree.Element) -> list[float]:
        told = []
        for shape in image:
            names = ("score", "confidence")
            values = [a.text for a in shape if str(a.get("name")).lower() in names]
            (value,) = [*values, *(shape.attrib[name] for name in names if name in shape.attrib)]
            told.append(sure_text(value))
        return told

    root = ElementTree.fromstring(place.read_bytes())
    return each((one.get("name"), lambda one=one: read(one)) for one in root.findall("image"))


def voc(place: Path) -> Told:
    def read(root: ElementTree.Element) -> list[float]:
        if any(child.tag not in ("filename", "size", "object") for child in root):
            raise Odd
        told = []
        for one in root.findall("object"):
            (value,) = [v for key in ("score", "confidence") for v in one.findall(key)]
            told.append(sure_text(value.text))
        return told

    roots = [ElementTree.fromstring(path.read_bytes()) for path in sorted(place.glob("*.xml"))]
    return each((root.findtext("filename"), lambda root=root: read(root)) for root in roots)


def coco(results_: Path, listing: Path) -> Told:
    """The scores of each listed image's records, matched by value."""
    images = json.loads(listing.read_bytes())["images"]
    records = json.loads(results_.read_bytes())
    ids = Counter(plain_id(image["id"]) for image in images)
    told: Told = {item: [] for item in ids if ids[item] == 1}
    for record in records:
        item = str(record.get("image_id")) if isinstance(record, dict) else ""
        if item in told:
            try:
                told[item].append(sure(record["score"]))
            except (Odd, LookupError):
                del told[item]
    return told


def distribution(values: list[float]) -> list[float]:
    """Probabilities of classes: what they leave may not be likelier than the likeliest."""
    left = 1 - sum(values)
    if not values or left < -1e-3 or (left > 1e-3 and left > max(values)):
        raise Odd
    return [max(values)]


def vector(row: Mapping[str, Any]) -> list[float]:
    """A row of a table: a mapping or list of probabilities, or its objects."""
    if row.get("objects") is not None and "probabilities" not in row:
        return [sure(one["confidence"]) for one in row["objects"]]
    if "p_a" in row:
        return distribution([sure_text(row[name]) for name in ("p_a", "p_b")])
    values = row["probabilities"]
    values = list(values.values()) if isinstance(values, dict) else values
    return distribution([sure(value) for value in values if value is not None])


def table(place: Path) -> Told:
    """A table with item_id and probabilities, or p_a and p_b, or objects."""
    if place.suffix == ".csv":
        text = place.read_bytes().decode("utf-8")
        sign = max(",;\t", key=text.partition("\n")[0].count)
        rows: list[Any] = list(csv.DictReader(text.splitlines(), delimiter=sign))
    elif place.suffix == ".parquet":
        rows = pyarrow.parquet.read_table(place).to_pylist()
    elif place.suffix == ".feather":
        rows = pyarrow.feather.read_table(place).to_pylist()
    elif place.suffix == ".npz":
        with np.load(place) as file:
            names, shares = file["item_ids"].tolist(), file["probabilities"].tolist()
        pairs = zip(names, shares, strict=True)
        rows = [{"item_id": name, "probabilities": share} for name, share in pairs]
    else:
        rows = loaded(place)
    rows = [row for row in rows if isinstance(row, dict)]
    return each((row.get("item_id"), lambda row=row: vector(row)) for row in rows)


def outputs(place: Path) -> Told:
    """Outputs of pipelines: a list of labels with scores for each item."""

    def read(one: Any) -> list[float]:
        if isinstance(one, dict) and "label" not in one:
            (one,) = [one[key] for key in _OUTPUTS if key in one]
        if isinstance(one, dict):
            one = [one]
        scores = [sure(record["score"]) for record in one]
        if any("box" in record or "start" in record for record in one) or not one:
            return scores
        return distribution(scores) if len(scores) > 1 else scores

    return of_documents(place, read)


def detected_rows(place: Path) -> Told:
    """A data set with objects as a struct of lists."""
    return each((r.get("image_id"), lambda r=r: [sure(v) for v in r["objects"]["score"]]) for r in
                loaded(place))  # fmt: skip


def completions(place: Path) -> Told:
    """Answers of language models: stated confidences, votes, or the tokens' chances."""
    said: dict[str, list[list[float]]] = {}
    votes: dict[str, list[str]] = {}
    for record in loaded(place) if place.suffix == ".jsonl" else loaded(place).items():
        name, body = record if isinstance(record, tuple) else (None, record)
        for key in ("custom_id", "key", "item_id"):
            name = body.get(key, name) if isinstance(body, dict) else name
        try:
            item = plain_id(name)
        except Odd:
            continue
        said.setdefault(item, [])
        try:
            said[item].append(_completion(body, votes.setdefault(item, [])))
        except (Odd, LookupError, TypeError, AttributeError, ValueError, OverflowError):
            said[item] += [[], []]
    told = {item: found[0] for item, found in said.items() if len(found) == 1 and found[0]}
    shares = {item: Counter(texts).most_common(1)[0][1] / len(texts) for item, texts in
              votes.items() if len(texts) > 1 and len(said[item]) == 1}  # fmt: skip
    return {**told, **{item: [share] for item, share in shares.items()}}


def _completion(body: Any, votes: list[str]) -> list[float]:
    body = body.get("result", body).get("message", body) if "result" in body else body
    body = body.get("response", body)
    if "candidates" in body:
        (one,) = body["candidates"]
        (text,) = one["content"]["parts"]
        tops = one["logprobsResult"]["topCandidates"][0]["candidates"]
        if {top["token"] for top in tops} != {"yes", "no"} or text["text"] not in ("yes", "no"):
            raise Odd
        return distribution([math.exp(top["logProbability"]) for top in tops])
    if "content" in body:
        (part,) = body["content"]
        return [sure(json.loads(part["text"].strip("`json\n"))["confidence"])]
    choices = body["choices"]
    if "text" in choices[0]:
        ((tops,),) = ([choice["logprobs"]["top_logprobs"][0]] for choice in choices)
        if set(tops) != {" A", " B"} or choices[0]["text"] not in tops:
            raise Odd
        values = {token: math.exp(number) for token, number in tops.items()}
        left = (1 - sum(values.values())) / 2
        return [max(values.values()) + left]
    texts = [choice["message"]["content"].strip(".").lower() for choice in choices]
    if set(texts) - {"yes", "no"} or any(c["finish_reason"] != "stop" for c in choices):
        raise Odd
    votes += texts
    return []


def judges(place: Path) -> Told:
    """The shares of the verdicts of each item."""
    said: dict[str, list[Any]] = {}
    for record in loaded(place):
        if isinstance(record, dict) and type(record.get("id")) in (str, int):
            said.setdefault(str(record["id"]), []).append(record)
    told = {}
    for item, records in said.items():
        verdicts = Counter(str(one.get("verdict")) for one in records)
        own = [one.get("judge") for one in records]
        plain = all(one.keys() == {"id", "judge", "verdict"} for one in records)
        if plain and set(verdicts) <= set("ABC") and len(set(map(str, own))) == len(own) == 3:
            told[item] = [count / 3 for count in verdicts.values()]
    return told


def traces(place: Path) -> Told:
    """The one score named helpful of each trace."""

    def read(one: Any) -> list[float]:
        (value,) = [s["value"] for s in one["scores"] if s["name"] == "helpful"]
        if any(s.keys() & {"stringValue", "label"} for s in one["scores"][:1]):
            raise Odd
        return [sure(value)]

    rows = [one for one in loaded(place) if isinstance(one, dict)]
    return each((one.get("id"), lambda one=one: read(one)) for one in rows)


def categories(place: Path) -> Told:
    """spaCy: the scores of a document's categories."""
    if place.suffix == ".spacy":
        stored = msgpack.unpackb(zlib.decompress(place.read_bytes()), strict_map_key=False)
        named_ones = enumerate(stored["cats"])
        return each((str(i), lambda one=one: scores(one)) for i, one in named_ones)
    return each((r["meta"]["id"], lambda r=r: scores(r["cats"])) for r in loaded(place))


def scores(cats: Any) -> list[float]:
    return distribution([sure(value) for value in cats.values()])
