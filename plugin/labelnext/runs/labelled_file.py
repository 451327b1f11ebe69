"""labels(config, path): a file of what is labelled, by whom and when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.protocol import Adapter, Streams
from labelnext.adapter.records import LabelRecord, LabelRecords, records_of
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened
from labelnext.config.places import check_places
from labelnext.journal.plan import Progress
from labelnext.pool.objects import Notice
from labelnext.ranking.files import ranking_format, write_rows
from labelnext.support.files import check_writable
from labelnext.support.refused import refusals_told
from labelnext.support.words import counted

COLUMNS = (
    "item_id",
    "label",
    "label_number",
    "classes",
    "objects",
    "labelled_by",
    "labelled_at",
    "counts",
    "stored",
)
"""The columns of the file, in their order."""


@dataclass(frozen=True)
class LabelFile:
    """A file of labels that was written.

    Attributes:
        path: of the file.
        labels: number of labels, one a row.
        items: number of labelled items.
        notices: what isn't known of the labels, or could not be read.
    """

    path: Path
    labels: int
    items: int
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> str:
        """The result as JSON text."""
        return json.dumps({**asdict(self), "path": str(self.path)}, indent=2, ensure_ascii=False)


@refusals_told()
def labels(
    config: Config | Path | str | Mapping[str, Any],
    path: Path | str,
    *,
    private: bool = False,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> LabelFile:
    """Write what is labelled, by whom and when, with each item's id: one row per label.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        path: ends in .parquet, .csv or .jsonl; an earlier file is replaced whole.
        private: whether only this user may read a new file.
        adapter: an open adapter for the source; if None, one from the configuration.
        progress: called with a stage, how much is done, and of how much (None if unknown).

    Raises:
        ConfigError: if the file has another ending, is one that the configuration reads, or can't
            be written.
        Unavailable: if a server or database does not answer.
    """
    settings, out = loaded(config), Path(path)
    ranking_format(out)
    check_places(settings, {"the file of labels": out})
    check_writable(out)
    with opened(settings, adapter, progress) as platform:
        told = platform.label_records() or _of_pool(platform)
    _write(out, told.records, excel_safe=settings.write.excel_safe, private=private)
    items = {record.item_id for record in told.records}
    notices = (*told.notices, *_unknown(told.records))
    return LabelFile(out, len(told.records), len(items), notices)


def _of_pool(platform: Adapter) -> LabelRecords:
    """The labels of a pool, in memory or in parts."""
    streams = cast("Streams", platform)
    parts = streams.parts() if can(platform, Capability.STREAMS) else None
    if parts is None:
        pool = platform.read()
        told = tuple(notice for notice in pool.notices if not notice.on_predictions)
        return LabelRecords(tuple(records_of(pool)), told)
    records, by_code = list[LabelRecord](), dict[str, list[Notice]]()
    for part in parts:
        pool, item_ids = streams.read_part(part)
        records += records_of(pool, item_ids.to_pylist())
        for notice in pool.notices:
            if not notice.on_predictions:
                by_code.setdefault(notice.code, []).append(notice)
    notices = [
        Notice(
            code, f"{counted(len(several), 'time')} in the parts; the first: {several[0].message}"
        )
        for code, several in by_code.items()
    ]
    return LabelRecords(tuple(records), tuple(notices))


def _unknown(records: Sequence[LabelRecord]) -> list[Notice]:
    """What the platform doesn't tell, so that nobody takes empty cells for a fault."""
    notices = []
    nobody = [record.person is None for record in records]
    never = [record.at is None for record in records]
    empty = {"labelled_by": nobody, "labelled_at": never}
    if nobody == never:
        empty = {"labelled_by and labelled_at": nobody}
    for columns, rows in empty.items():
        if lacking := rows.count(True):
            first, _, both = columns.partition(" ")
            message = (
                f"{columns} {'are' if both else 'is'} empty for {counted(lacking, 'label')}: the "
                "source doesn't say."
            )
            notices.append(Notice(f"no_{first}", message))
    without = [
        r.item_id
        for r in records
        if r.label is None and r.number is None and not r.classes and r.objects is None
    ]
    if without:
        message = f"{counted(len(without), 'label')} without a class: see the column stored."
        if not any(r.stored for r in records):
            message = f"{counted(len(without), 'item')} labelled, but the source gives no class."
        notices.append(Notice("no_class", message, tuple(without)))
    return notices


def _write(path: Path, records: Sequence[LabelRecord], *, excel_safe: bool, private: bool) -> None:
    """Write the rows; in .jsonl lists are JSON, in the other formats they are text with JSON."""
    rows = (_row(record) for record in records)
    write_rows(path, rows, _schema, flat=_flat, excel_safe=excel_safe, private=private)


def _schema() -> Any:
    import pyarrow as pa

    others = {"counts": pa.bool_(), "label_number": pa.float64()}
    return pa.schema([(name, others.get(name, pa.string())) for name in COLUMNS])


def _row(record: LabelRecord) -> dict[str, Any]:
    objects = record.objects
    values = (
        record.item_id,
        record.label,
        record.number,
        None if record.classes is None else list(record.classes),
        None if objects is None else [_object(m.label, m.box) for m in objects],
        record.person,
        None if record.at is None else _moment(record.at),
        record.counts,
        None if record.stored is None else json.loads(record.stored),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _object(label: str, box: Sequence[float] | None) -> dict[str, Any]:
    return {"label": label or None, "box": None if box is None else list(box)}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of plain cells: what is a list is JSON."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
        for name, value in row.items()
    }


def _moment(at: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC.

    Example:
        >>> _moment(3600.5)
        '1970-01-01T01:00:00.500000Z'
    """
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


__all__ = ["COLUMNS", "LabelFile", "labels"]
