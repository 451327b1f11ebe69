"""Plain files: JSONL, CSV, NPZ, Parquet, COCO and Label Studio in; JSONL, CSV or Parquet out."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from labelnext.adapter import Context, Finding, Journal, Options, Plan, WriteOptions
from labelnext.pool import Pool
from labelnext.ranking import Ranking

Format = Literal["jsonl", "csv", "npz", "parquet", "coco", "label-studio"]


class FilesSource(Options):
    """Keys of `source` for files."""

    path: Path
    """The file with the predictions: .jsonl, .csv, .parquet, .npz; .json is a COCO results list or
    a Label Studio export."""
    format: Format | None = None
    """jsonl, csv, npz, parquet, coco or label-studio; from the ending of the name when null."""
    columns: dict[str, str | list[str]] = Field(default_factory=dict)
    """Our names (item_id, probabilities, objects, embedding, label, votes, truth, labelled, group,
    cost) to the file's; for probabilities and embedding also a list of number columns."""
    classes: list[str] | None = None
    """Names of the classes, in the order of the probabilities."""
    images: Path | None = None
    """Of a COCO results list, the file with its images and categories."""
    older: list[Path] = Field(default_factory=list)
    """Of a COCO results list, those of older model versions, the oldest first: a committee."""
    label_config: Path | None = None
    """Of a Label Studio export, the file with the labelling setup, in XML; what the export names
    when null."""
    from_name: str | list[str] | None = None
    """Of a Label Studio export, the control tag to read, or several that label parts of items."""
    model_version: str | list[str] | None = None
    """Of a Label Studio export, which predictions to read; the newest when null; a list is a
    committee."""


class FilesWrite(WriteOptions):
    """Keys of `write` for files; `output` is where the ranking goes."""

    output: Path | None = Path("ranking.csv")
    """The ranking: .csv, .jsonl or .parquet."""


class FilesAdapter:
    """Reads a file of predictions and writes the ranking as another file.

    Args:
        source: keys of `source`.
        write: keys of `write`.
        context: folder of relative paths, key and progress.
    """

    name: ClassVar[str] = "files"
    requires: ClassVar[tuple[str, ...]] = ("pyarrow",)
    install: ClassVar[str] = "pip install labelnext"
    SourceOptions: ClassVar[type[Options]] = FilesSource
    WriteOptions: ClassVar[type[WriteOptions]] = FilesWrite

    def __init__(self, source: FilesSource, write: FilesWrite, context: Context) -> None:
        self._source, self._write, self._context = source, write, context

    def check(self) -> list[Finding]:
        """Whether the file exists and what it is."""
        from labelnext_adapters.files.read import source_format

        path = self._context.path(self._source.path)
        if not path.is_file():
            return [Finding("error", f"{str(path)!r} does not exist.", "set source.path.")]
        kind = source_format(path, self._source)
        return [Finding("ok", f"{str(path)!r} is a {kind} file of {path.stat().st_size:,} bytes.")]

    def read(self) -> Pool:
        """All items of the file."""
        from labelnext_adapters.files.read import read_pool

        return read_pool(self._source, self._context)

    def plan(self, ranking: Ranking) -> Plan:
        """One step: the ranking file."""
        from labelnext_adapters.files.write import make_plan

        return make_plan(ranking, self._source, self._write, self._context)

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Write the ranking file."""
        from labelnext.journal import carry_out
        from labelnext_adapters.files.write import FilePerformer

        carry_out(plan, journal, FilePerformer(journal), self._context.progress)

    def undo(self, journal: Journal) -> list[str]:
        """Put back the file that was there, or remove ours."""
        from labelnext.journal import take_back
        from labelnext_adapters.files.write import FilePerformer

        return take_back(journal, FilePerformer(journal))

    def close(self) -> None:
        """Nothing to let go of."""
