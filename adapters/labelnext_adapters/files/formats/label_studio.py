"""A project that Label Studio exported as JSON, with its predictions and what people said."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.errors import MissingExtra, NotFound
from labelnext.pool.pool import Pool


class LabelStudioExportOptions(Options):
    """Keys of `source` for exports of Label Studio."""

    label_config: Path | None = None
    """Labelling setup (XML file) of a Label Studio export; null infers it from the export."""
    from_name: str | list[str] | None = None
    """Control tag of a Label Studio export to read, or a list of tags that label parts of items."""
    model_version: str | list[str] | None = None
    """Model version in a Label Studio export whose predictions to read; null reads the newest; a
    list is a committee."""
    labels: Literal["latest", "ground_truth", "majority"] | None = "latest"
    """Which annotation in a Label Studio export counts as a task's label; null reads no labels."""


def read(path: Path | str, options: LabelStudioExportOptions, context: Context) -> Pool:
    """The tasks.

    Raises:
        MissingExtra: if msgspec is not installed.
        NotFound: if the labelling setup does not exist.
        InvalidInput: if the export is no list of tasks, or its predictions are not whole.
    """
    try:
        from labelnext_adapters.label_studio_format.export import read_export
    except ImportError as error:
        raise MissingExtra(
            "reading a Label Studio export needs msgspec, which is not installed.",
            hint="pip install 'labelnext[label-studio]'",
        ) from error
    setup = next(iter(files(options, context)), None)
    if setup is not None and not setup.is_file():
        raise NotFound(f"label_config must be a file; got {str(setup)!r}, which does not exist.")
    return read_export(
        Path(path).read_bytes(),
        None if setup is None else setup.read_text("utf-8"),
        key=context.key,
        from_name=options.from_name,
        model_version=options.model_version,
        labels=options.labels,
    )


def files(options: LabelStudioExportOptions, context: Context) -> list[Path]:
    """The labelling setup, where one is named."""
    return [] if options.label_config is None else [context.path(options.label_config)]


_MIN_KEYS = frozenset({"annotator", "annotation_id", "created_at", "updated_at", "lead_time"})


def evidence(sample: Sample) -> str | None:
    """Whether the records are tasks of Label Studio."""
    for record in sample.records[:20]:
        parts = {"predictions", "annotations", "completions"} & record.keys()
        if isinstance(record.get("data"), dict) and parts:
            return f"its records are tasks with data and {', '.join(sorted(parts))}"
        if len(_MIN_KEYS & record.keys()) >= 3:
            return "its records have Label Studio's keys annotator, annotation_id and lead_time"
    return None


FORMAT = Format(
    "label-studio",
    "a Label Studio project exported as JSON, with complete predictions",
    (".json",),
    LabelStudioExportOptions,
    read,
    files,
    evidence=evidence,
    recognised_by="tasks with data and predictions or annotations",
    needs=("label_config",),
)
