"""The options of the FiftyOne adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from labelnext.adapter.options import Options, SendOptions, WriteOptions


class FiftyOneSource(Options):
    """Where the samples and their predictions are."""

    dataset: str | Any
    """Name of the dataset, or in Python a dataset or view."""
    database: Path | None = None
    """Folder of a database of its own, which each command starts and stops; null uses FiftyOne's
    database, or that of FIFTYONE_DATABASE_URI."""
    view: str | None = None
    """Name of a saved view."""
    slice: str | None = None
    """Slice of a grouped dataset to rank; null ranks the default slice."""
    frames: bool = False
    """Rank video frames, by their own fields, instead of whole videos."""
    pred_field: str | list[str] | None = None
    """Field of the predictions; a list is a committee, one field per model."""
    pred_values: Literal["confidence", "uncertainty"] = "confidence"
    """What the numbers in a heatmap or number field mean."""
    vectors: str | None = None
    """Attribute of each prediction that holds a number for each class; null takes logits,
    probabilities, probs, softmax or scores, whichever is there."""
    gt_field: str | None = None
    """Field of the labels; samples with a value there count as labelled."""
    label_tag: str | list[str] | None = None
    """Samples with any of these tags count as labelled; a tag named after a class is the label."""
    embeddings: str | None = None
    """Vector field with the embeddings, or key of a brain similarity index; or embeddings that
    labelnext makes itself, such as {from: images}, as for the other adapters."""
    object_embeddings: str | None = None
    """Attribute of each object that holds its embedding, as compute_patch_embeddings stores it."""

    groups: str | list[str] | None = None
    """Field whose value is a sample's group, such as its scene; a list of tags: the first of them
    that the sample has. null: a frame's video."""

    @property
    def pred_fields(self) -> tuple[str, ...]:
        """The fields of the predictions, none or more."""
        return _several(self.pred_field)

    @property
    def label_tags(self) -> tuple[str, ...]:
        """The tags that say that a sample is labelled."""
        return _several(self.label_tag)

    @field_validator("pred_field")
    @classmethod
    def _check_distinct(cls, names: str | list[str] | None) -> str | list[str] | None:
        if isinstance(names, list) and len({*names}) < len(names):
            raise ValueError("must be a field, or a list of different ones")
        return names

    @field_validator("dataset")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value is None or value == "":
            raise ValueError("must be the name of a dataset")
        # A deleted dataset answers nothing else.
        root = value if hasattr(type(value), "deleted") else getattr(value, "_dataset", None)
        if root is not None and root.deleted:
            raise ValueError(f"must exist; {root.name} was deleted")
        return value


def _several(value: str | list[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


class FiftyOneWrite(WriteOptions):
    """How the ranking is written: `mode: queue` is a field, an index and two saved views."""

    objects: bool = False
    """Also store each object's score, in an attribute named after the run."""
    prelabels: bool = False
    """Also store what is predicted of each sample of the batch as a pre-label, in a field named
    after the run, labelnext_prelabel."""


class FiftyOneSend(SendOptions):
    """The dataset whose samples are the items of a batch."""

    adapter: str = "fiftyone"
    """Adapter of the platform where people label."""
    dataset: str | Any
    """Name of the dataset, or in Python a dataset."""
