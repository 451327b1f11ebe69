"""The bases of an adapter's options."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from labelnext.errors import ConfigError
from labelnext.support.store import filesystem, is_url


class Options(BaseModel):
    """Base of an adapter's options: unknown keys are refused, and nothing changes later."""

    # A string below a field describes it in the schema, in `labelnext init` and in the docs.
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True
    )


class WriteOptions(Options):
    """What every adapter's `write` understands."""

    mode: Literal["queue"] = "queue"
    """How the ranking is written; each adapter lists its own."""
    run: str = "labelnext"
    """Name of the run, and of what it makes on the platform; labelnext_review where labels are
    reviewed."""
    output: Path | None = None
    """A ranking file to write as well."""

    def for_review(self) -> Self:
        """A copy with names of a review's own, so that it leaves the queue for labelling alone.

        Names that were given stay.
        """
        if "run" in self.model_fields_set:
            return self
        return self.model_copy(update={"run": "labelnext_review"})


class SendOptions(Options):
    """What every platform to which a batch can be sent understands."""

    adapter: str = "label-studio"
    """Name of the adapter of the platform where people label."""
    field: str = "labels"
    """Where labelnext fetch puts their labels: a field of its own in the source."""
    key: str | None = None
    """What holds an item's id there: a data key or field; the platform's own id when null, or
    fiftyone_id and files_id of tasks that labelnext makes."""


def output_place(write: WriteOptions, directory: Path) -> Path | str:
    """The folder or URL of the ranking.

    Args:
        write: with `output`; `ranking` where none is stated.
        directory: in which relative paths begin.

    Raises:
        ConfigError: if `write.output` names a file.
    """
    stated = "output" in write.model_fields_set and write.output is not None
    place = str(write.output) if stated else "ranking"
    if is_url(place):
        filesystem(place)
        return place
    path = (directory / Path(place).expanduser()).absolute()
    if path.suffix or path.is_file():
        raise ConfigError(
            f"write.output must be a folder for a pool that is read in parts; got {str(path)!r}."
        )
    return path
