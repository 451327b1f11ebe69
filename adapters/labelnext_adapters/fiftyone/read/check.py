"""What `labelnext check` says of a FiftyOne source, without reading all samples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from labelnext.adapter.protocol import Context, Finding
from labelnext.errors import LabelnextError
from labelnext.support.started import CONFIG, how
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import (
    field_of,
    reach_database,
    source_collection,
    talking,
)
from labelnext_adapters.fiftyone.database.mongod import bundled_mongod, mongod_version
from labelnext_adapters.fiftyone.read.count import is_labelled
from labelnext_adapters.fiftyone.read.embeddings import check_embeddings, is_index
from labelnext_adapters.fiftyone.read.label_types import (
    certainties,
    check_labels,
    holding,
    kind_of,
    labels_of,
    mistyped_tags,
)
from labelnext_adapters.fiftyone.read.own_runs import check_run_name, refuse_foreign

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource

TESTED = ((1, 10), (1, 22))


def findings(source: FiftyOneSource, run: str, context: Context) -> Iterator[Finding]:
    """One line after the other; the first error ends the list, as the rest needs what failed."""
    yield version_finding(version("fiftyone"))
    try:
        where = reach_database()
        binary = bundled_mongod()
        if "mongod" in where and binary is not None:
            where += f" {mongod_version(binary)}"
        collection = source_collection(source)
        yield Finding("ok", f"Connected to {where}.")
        yield from _collection(collection, source, context)
        check_run_name(run)
        with talking():
            refuse_foreign(collection._root_dataset, run)
    except LabelnextError as error:
        yield Finding("error", error.message, error.hint)
        return
    yield Finding("ok", f"Run {run} can be written.")


def version_finding(version: str) -> Finding:
    """Whether this FiftyOne is one that labelnext was tested with."""
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if TESTED[0] <= numbers <= TESTED[1]:
        return Finding("ok", f"FiftyOne {version}.")
    low, high = (".".join(map(str, end)) for end in TESTED)
    return Finding(
        "warning",
        f"FiftyOne {version} is outside the tested versions, {low} to {high}.",
        f"try {how('run', CONFIG, '--dry-run')} first.",
    )


def _collection(collection: Any, source: FiftyOneSource, context: Context) -> Iterator[Finding]:
    dataset = collection._root_dataset
    with talking():
        count = collection.count()
    what = f"view {source.view} of dataset" if source.view else "dataset"
    item = "frame" if source.frames else "sample"
    items = counted(count, item)
    yield Finding("ok" if count else "warning", f"{items} in {what} {dataset.name}.")
    if not dataset.persistent:
        yield Finding(
            "warning",
            f"{dataset.name} is not persistent: FiftyOne deletes it when the last process ends.",
            "set dataset.persistent = True.",
        )
    if context.key:
        field_of(collection, "source.key", context.key)
    for field in source.pred_fields:
        yield from _predictions(collection, field, source.vectors, items)
        yield from _object_embeddings(collection, field, source.object_embeddings)
    if source.embeddings:
        check_embeddings(collection, source.embeddings)
        if is_index(collection, source.embeddings):
            yield Finding("ok", f"Embeddings come from the similarity index {source.embeddings}.")
        else:
            yield _filled(collection, source.embeddings, "an embedding", items)
    check_labels(source)
    if source.gt_field:
        kind = labels_of(collection, source.gt_field)
        with talking():
            n = collection.match(is_labelled(collection, source.gt_field)).count()
        what = f" ({kind.name})" if kind else ""
        yield Finding("ok", f"{_are(n, item)} labelled in {source.gt_field}{what}.")
    if source.label_tags:
        with talking():
            n = collection.match_tags(list(source.label_tags)).count()
            mistyped = [*mistyped_tags(source.label_tags, collection.distinct("tags"))]
        tags = ", ".join(source.label_tags)
        tag = f"the tag {tags}" if len(source.label_tags) == 1 else f"one of the tags {tags}"
        yield Finding("ok", f"{_are(n, item)} labelled by {tag}.")
        yield from (Finding("warning", line) for line in mistyped)


def _object_embeddings(collection: Any, field: str, name: str | None) -> Iterator[Finding]:
    kind = kind_of(collection, "pred_field", field)
    if name is None or not kind.of_objects:
        return
    path = f"{kind.path(field)}.{name}"
    with talking():
        held = collection.match({path: {"$type": ["binData", "array"]}}).limit(1).values("id")
    if not held:
        yield Finding(
            "warning",
            f"No object of {field} has an embedding in its attribute {name}.",
            "dataset.compute_patch_embeddings stores them there.",
        )


def _are(n: int, item: str) -> str:
    return f"{counted(n, item)} {'is' if n == 1 else 'are'}"


def _filled(collection: Any, field: str, what: str, of: str) -> Finding:
    with talking():
        n = collection.exists(field).count()
    have = "has" if of.startswith("1 ") else "have"
    return Finding("ok" if n else "warning", f"{n:,} of {of} {have} {what} in {field}.")


def _predictions(collection: Any, field: str, vectors: str | None, of: str) -> Iterator[Finding]:
    kind = kind_of(collection, "pred_field", field)
    filled = _filled(collection, field, f"a prediction ({kind.name})", of)
    yield filled
    if filled.level == "warning" or (kind.scalar and kind.number(field) == field):
        return
    with talking():
        held = [
            part
            for part, paths in certainties(kind, field, vectors).items()
            if holding(collection, paths).limit(1).values("id")
        ]
    if held:
        yield Finding("ok", f"{field} holds {' and '.join(held)}.")
    else:
        sure = "confidence" if kind.scalar else "confidence, logits or probabilities"
        yield Finding(
            "warning",
            f"{field} holds no {sure}.",
            "store the model's confidences or logits with its predictions.",
        )
