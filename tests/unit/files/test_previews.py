"""A run over columns of any type ends with its report."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext

TEXT = pa.array(["a", "b"])


@pytest.mark.parametrize(
    "ids",
    [
        TEXT.dictionary_encode(),
        TEXT.cast(pa.string_view()),
        TEXT.cast(pa.large_string()),
        pa.array([b"a", b"b"]),
        pa.array([7, 8]),
        pa.array([Decimal("7"), Decimal("8")]),
    ],
    ids=["category", "string_view", "large_string", "bytes", "integer", "decimal"],
)
def test_a_run_shows_items_whose_ids_are_of_any_type(tmp_path: Path, ids: Any) -> None:
    texts = pa.array(["first text", "second text"]).dictionary_encode()
    columns = {"item_id": ids, "cat": [0.9, 0.4], "dog": [0.1, 0.6], "text": texts}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    report = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(tmp_path / "p.parquet")},
            "write": {"output": str(tmp_path / "r.csv")},
            "report": {"path": str(tmp_path / "r.html")},
            "state": str(tmp_path / "state"),
        }
    )
    assert [card.text for card in report.cards] == ["second text", "first text"]
    assert "no_previews" not in [notice.code for notice in report.notices]
