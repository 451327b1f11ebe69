"""Projects that Label Studio exported as JSON, with their predictions and what people said."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.errors import MissingExtra, NotFound
from labelnext.pool.pool import Pool
from labelnext.support.started import how_to_install
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import byte_blocks

ENDINGS = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
"""How the names of exports end; only these are read of a folder."""


class LabelStudioExportOptions(Options):
    """Keys of `source` for exports of Label Studio."""

    label_config: Path | None = None
    """Labelling setup (XML file) of a Label Studio export; null infers it from the export."""
    from_name: str | list[str] | None = None
    """Control tag of a Label Studio export to read, or a list of tags that label parts of items."""
    model_version: str | list[str] | None = None
    """Model version in a Label Studio export whose predictions to read; null reads each task's
    newest prediction; a list is a committee."""
    merge: Literal["regions"] | None = None
    """regions puts the regions of all model versions in a Label Studio export together, such as
    those of detectors of different classes."""
    labels: Literal["latest", "ground_truth", "majority"] | None = "latest"
    """Which annotation in a Label Studio export counts as a task's label; null reads no labels."""


def read(path: Path | str, options: LabelStudioExportOptions, context: Context) -> Pool:
    """The tasks of an export, or of all exports in a folder.

    Raises:
        MissingExtra: if msgspec is not installed.
        NotFound: if the labelling setup does not exist, or the folder has no export.
        InvalidInput: if the export is no list of tasks, or its predictions are not whole.
    """
    return read_several(exports_in(Path(path)), options, context)


def read_several(paths: list[Path], options: LabelStudioExportOptions, context: Context) -> Pool:
    """The tasks of several exports as one pool; a task that is in several counts once.

    Raises:
        As `read`.
    """
    try:
        from labelnext_adapters.label_studio_format.export import read_exports
    except ImportError as error:
        raise MissingExtra(
            "reading a Label Studio export needs msgspec, which is not installed.",
            hint=how_to_install("labelnext[label-studio]"),
        ) from error
    setup = next(iter(files(options, context)), None)
    if setup is not None and not setup.is_file():
        raise NotFound(f"label_config must be a file; got {str(setup)!r}, which does not exist.")
    names = [path.name for path in paths]
    unique = len({*names}) == len(names)
    return read_exports(
        {path.name if unique else str(path): b"".join(byte_blocks(path)) for path in paths},
        None if setup is None else setup.read_text("utf-8-sig"),
        key=context.key,
        from_name=options.from_name,
        model_version=options.model_version,
        merge=options.merge,
        labels=options.labels,
        metadata=context.metadata,
    )


def exports_in(path: Path) -> list[Path]:
    """The exports in a folder, by name; a file alone is its only one.

    Raises:
        NotFound: if the folder has none.
    """
    if not path.is_dir():
        return [path]
    exports = sorted(p for p in path.iterdir() if p.name.lower().endswith(ENDINGS) and p.is_file())
    stored = [] if exports else [p for p in sorted(path.iterdir()) if _STORED.fullmatch(p.name)]
    if stored:
        return stored[:1]  # reading it says what to do
    if not exports:
        raise NotFound(f"path must hold exports that end in .json or .jsonl; got {str(path)!r}.")
    return exports


def files(options: LabelStudioExportOptions, context: Context) -> list[Path]:
    """The labelling setup, where one is named."""
    return [] if options.label_config is None else [context.path(options.label_config)]


_LOOKED_AT = 20  # files of a folder
_STORED = re.compile(r"[0-9]+")  # names of annotations in a target storage
_MIN_KEYS = frozenset({"annotator", "annotation_id", "created_at", "updated_at", "lead_time"})


def evidence(sample: Sample) -> str | None:
    """Whether the records are tasks of Label Studio; of a folder, those of all its JSON files."""
    if sample.is_folder:
        return _evidence_of_folder(sample)
    for record in sample.records[:20]:
        if isinstance(record.get("task"), dict) and isinstance(record.get("result"), list):
            return "it is an annotation in a target storage of Label Studio"
        parts = {"predictions", "annotations", "completions"} & record.keys()
        if isinstance(record.get("data"), dict) and parts:
            return f"its records are tasks with data and {', '.join(sorted(parts))}"
        if len(_MIN_KEYS & record.keys()) >= 3:
            return "its records have Label Studio's keys annotator, annotation_id and lead_time"
    return None


def _first(sample: Sample, names: list[str]) -> list[dict[str, Any]]:
    """The first record of the first of these files."""
    return [*islice(Sample(sample.path / names[0]).records, 1)] if names else []


def _evidence_of_folder(sample: Sample) -> str | None:
    names = [name for name in sample.names if "/" not in name and name.lower().endswith(ENDINGS)]
    stored = [name for name in sample.names if _STORED.fullmatch(name)]
    if not names and any({"task", "result"} <= first.keys() for first in _first(sample, stored)):
        return "its files are annotations in a target storage of Label Studio"
    reasons = (evidence(Sample(sample.path / name)) for name in names[:_LOOKED_AT])
    if not names or not all(reasons):
        return None
    return f"its {counted(len(names), 'JSON file')} hold tasks of Label Studio"


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
