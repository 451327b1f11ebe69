"""Addresses of items in reports and explanations, and ids of the platform's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.adapter import Capability, Finding, Preview, open_adapter
from labelnext.errors import NotFound, Unavailable
from labelnext.runs.check import check
from labelnext.runs.run import explain
from labelnext_adapters.files import FilesAdapter


class Linked(FilesAdapter):
    """Files whose items have pages, and numbers of their own."""

    down = False

    def previews(self, item_ids: Any) -> Mapping[str, Preview]:
        if self.down:
            raise Unavailable("the server went away.")
        return {i: Preview(f"http://localhost/{i}") for i in item_ids}

    def address(self) -> str:  # type: ignore[override]
        return "http://localhost/start"

    def item_of(self, own_id: str) -> str | None:
        return {"17": "b"}.get(own_id)


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    rows = [{"item_id": name, "probabilities": [p, 1 - p]} for name, p in (("a", 0.9), ("b", 0.6))]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {
        "source": {"adapter": "files", "path": str(tmp_path / "pool.jsonl")},
        "write": {"output": str(tmp_path / "ranking.csv")},
        "state": str(tmp_path / "state"),
        "report": {"path": str(tmp_path / "report.html")},
    }


@pytest.fixture
def adapter(config: dict[str, Any]) -> Linked:
    opened = open_adapter("files", path=config["source"]["path"], write=config["write"])
    opened.__class__ = Linked
    return opened  # type: ignore[return-value]


def test_report_begins_with_the_address_and_links_items(
    config: dict[str, Any], adapter: Linked
) -> None:
    assert adapter.can(Capability.SHOWS_ITEMS)
    report = labelnext.run(config, adapter=adapter)
    assert [row["link"] for row in report.next_items] == [
        "http://localhost/b",
        "http://localhost/a",
    ]
    assert str(report).splitlines()[0] == "label at: http://localhost/start"
    assert report.to_dict()["address"] == "http://localhost/start"
    assert "cards" not in report.to_dict()


def test_platform_that_went_away_costs_a_notice_alone(
    config: dict[str, Any], adapter: Linked
) -> None:
    adapter.down = True
    report = labelnext.run(config, adapter=adapter)
    assert report.path is not None
    assert [n.message for n in report.notices if n.code == "no_previews"] == [
        "The report shows no items: the server went away."
    ]


def test_explain_takes_ids_of_the_platform(config: dict[str, Any], adapter: Linked) -> None:
    why = explain(config, "17", adapter=adapter)
    assert (why.item_id, why.link, why.address) == (
        "b",
        "http://localhost/b",
        "http://localhost/start",
    )
    assert explain(config, "a", adapter=adapter).item_id == "a"
    with pytest.raises(NotFound, match="no item is called '18'"):
        explain(config, "18", adapter=adapter)


def test_check_says_once_what_holds_for_the_first_items_and_for_all(
    config: dict[str, Any], adapter: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(config["source"]["path"])
    path.write_text(path.read_text() + "\n" + path.read_text().splitlines()[0])
    (notice,) = adapter.read().notices
    first = [
        Finding("warning", f"In the first 2 items: {notice.message}"),
        Finding("warning", "In the first 2 items: another thing."),
    ]
    monkeypatch.setattr(Linked, "check", lambda self: first)
    said = [f.message for f in check(config, adapter=adapter).findings if f.level == "warning"]
    assert said == ["In the first 2 items: another thing.", notice.message]
