"""A format whose files hold what a tool says of each image. The reading is loaded when used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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
    tools: Callable[..., Sequence[Tool]],
    recognised_by: str,
    Options: type[DetectionOptions] = DetectionOptions,
) -> Format:
    """A format for JSON of one tool or several: a file for each image, a list, or an object.

    Args:
        name: as in `source.format`.
        summary: what it reads, in one line.
        tools: gives the tools, of which the first that takes a file reads it; with own `Options`,
            ``tools(options)`` are those that read it.
        recognised_by: what it recognises, in words.
        Options: its keys of `source`.
    """

    def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
        from labelnext_adapters.files.vision.findings import read_findings

        chosen = tools() if Options is DetectionOptions else tools(options)
        return read_findings(Path(path), chosen, options, context.key)

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
