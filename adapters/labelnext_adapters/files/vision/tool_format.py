"""A format whose files hold what a tool says of each image. The reading is loaded when used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.vision.findings import Tool


def tool_format(
    name: str,
    summary: str,
    module: str,
    recognised_by: str,
    Options: type[DetectionOptions] = DetectionOptions,
    chosen: Callable[[Any], Sequence[Tool]] | None = None,
    *,
    inner: str = "",
) -> Format:
    """A format for JSON of one tool or several: a file for each image, a list, or an object.

    Args:
        name: as in `source.format`.
        summary: what it reads, in one line.
        module: with the tools, of which the one that takes most of a file reads it; they are its
            ``TOOLS``, or what is named behind a colon.
        recognised_by: what it recognises, in words.
        Options: its keys of `source`.
        chosen: ``chosen(options)`` are the tools that read it, where its keys say which.
        inner: the folder inside another that has the files, if it is there.
    """

    def tools() -> Sequence[Tool]:
        place, _, told = module.partition(":")
        found: Sequence[Tool] = getattr(import_module(place), told or "TOOLS")
        return found

    def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
        from labelnext_adapters.files.vision.findings import read_findings

        reading = tools() if chosen is None else chosen(options)
        folder = Path(path) / inner
        read_from = folder if inner and folder.is_dir() else Path(path)
        return read_findings(read_from, reading, options, context.key)

    def evidence(sample: Sample) -> str | None:
        from labelnext_adapters.files.vision.findings import evidence_of

        return evidence_of(sample, tools())

    return Format(
        name,
        summary,
        (),
        Options,
        read,
        evidence=evidence,
        of_json=True,
        recognised_by=recognised_by,
    )
