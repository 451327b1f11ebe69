"""The manager's page: figures by hand, and what the page shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.team import Act, Shard, Work
from labelnext.errors import ConfigError
from labelnext.quality.stopping import Signal
from labelnext.report.team import Agreement, Member, Pace, agreements, members, pace, work_summary
from labelnext.runs.status import Status, status
from labelnext.runs.status_page import render_status
from tests.unit.report.pages import parsed

DAY = 86_400.0
ACTS = (
    Act("ann", "1", 0.0, said="good"),
    Act("ann", "2", DAY, said="bad"),
    Act("ann", "3", 2 * DAY, skipped=True),
    Act("bo", "1", DAY, said="good"),
    Act("bo", "2", DAY, said="good"),
    Act("cy", "1", 3 * DAY, said="bad"),
    Act("cy", "4", None),
)


def test_what_each_person_did() -> None:
    assert members(ACTS) == [
        Member("ann", 2, 1, "1970-01-01", "1970-01-03"),
        Member("bo", 2, 0, "1970-01-02", "1970-01-02"),
        Member("cy", 2, 0, "1970-01-04", "1970-01-04"),
    ]


def test_people_agree_on_what_both_labelled() -> None:
    assert agreements(ACTS) == [
        Agreement(("ann", "bo"), 2, 1),
        Agreement(("ann", "cy"), 1, 0),
        Agreement(("bo", "cy"), 1, 0),
    ]


def test_last_label_of_a_person_counts() -> None:
    again = Act("ann", "2", 9 * DAY, said="good")
    assert agreements((*ACTS, again))[0] == Agreement(("ann", "bo"), 2, 2)


def test_skips_and_labels_of_parts_are_no_agreement() -> None:
    acts = (Act("ann", "1", skipped=True), Act("bo", "1", said="x"), Act("cy", "1"))
    assert agreements(acts) == []


def test_pace_and_end() -> None:
    # A label every half day from day 0: eleven labels in five days, two a day.
    acts = [Act("ann", str(n), n * DAY / 2) for n in range(11)]
    # 31 items, one label each: 20 are left, ten days after day five.
    assert pace(acts, 31, 1) == Pace(2.0, 20, "1970-01-16")
    # Two labels each: 62 wanted, 11 made.
    assert pace(acts, 31, 2) == Pace(2.0, 51, "1970-01-31")


def test_the_labels_of_an_hour_are_the_pace_of_a_day() -> None:
    acts = [Act("ann", str(n), n * DAY / 240) for n in range(11)]  # one every six minutes
    # 20 are left, at ten a day.
    assert pace(acts, 31, 1) == Pace(10.0, 20, "1970-01-03")


def test_third_label_of_an_item_is_one_too_many() -> None:
    acts = [Act(f"p{n}", "a", n * DAY / 2) for n in range(11)]
    found = pace(acts, 3, 2)
    assert found is not None
    assert found.left == 4


def test_only_the_last_week_gives_the_pace() -> None:
    old = [Act("ann", f"old{n}", 0.0) for n in range(1000)]
    new = [Act("ann", f"new{n}", 100 * DAY + n * DAY / 2) for n in range(11)]
    found = pace([*old, *new], 1031, 1)
    assert found == Pace(2.0, 20, "1970-04-26")


@pytest.mark.parametrize("n", [0, 1, 9])
def test_no_pace_of_a_few_labels(n: int) -> None:
    assert pace([Act("ann", str(k), k * DAY) for k in range(n)], 50, 1) is None


def test_no_pace_of_labels_of_one_moment() -> None:
    assert pace([Act("ann", str(k), 5.0) for k in range(20)], 50, 1) is None


def shown(work: Work | None, signals: list[Signal] | None = None, **target: str) -> Any:
    found = Status(31, 11, [], signals or [], "a forecast needs embeddings.", work=work)
    about = {"name": "labelnext.yaml", "address": "", "written": "today", **target}
    return parsed(render_status(found, about))


def rows(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row.all("td")] for row in table.all("tr")[1:]]


def test_page_shows_people_tabs_and_agreement() -> None:
    shards = (Shard("ann", 12, "http://localhost/projects/7/data?tab=2"), Shard("bo", 0))
    page = shown(Work(ACTS, 1, shards), address="http://localhost/projects/7/data")
    people, tabs, agree = page.all("table")
    assert rows(people)[0] == ["ann", "2", "1", "1970-01-01", "1970-01-03"]
    assert rows(tabs) == [["ann", "12"], ["bo", "0"]]
    assert tabs.all("a")[0].attributes["href"] == "http://localhost/projects/7/data?tab=2"
    assert rows(agree)[0] == ["ann and bo", "2", "1 (50%)"]
    tiles = [tile.text for tile in page.all("div", class_="tile")]
    assert tiles == ["31 items", "11 labelled", "35% of all"]
    (bar,) = page.all("svg", class_="bar")
    assert [rect.attributes["width"] for rect in bar.all("rect")] == ["640", "227.1"]


def test_json_has_the_work_that_the_page_shows() -> None:
    link = "http://localhost/projects/7/data?tab=2"
    found = Status(31, 11, [], [], "none", work=Work(ACTS, 2, (Shard("ann", 12, link),)))
    work = json.loads(found.to_json())["work"]
    assert work["wanted"] == 2
    assert work["people"][0] == {
        "name": "ann",
        "labels": 2,
        "skips": 1,
        "first": "1970-01-01",
        "last": "1970-01-03",
    }
    assert work["agreement"][0] == {"people": ["ann", "bo"], "items": 2, "same": 1}
    assert work["shards"] == [{"name": "ann", "left": 12, "link": link}]
    assert work["pace"] is None


def test_json_of_a_pace_and_of_unknown_days() -> None:
    acts = tuple(Act("ann", str(n), n * DAY / 2) for n in range(11))
    made = work_summary(Work((*acts, Act("bo", "x"))), 32)
    assert made["pace"] == {"per_day": 2.0, "left": 20, "end": "1970-01-16"}
    assert (made["people"][1]["first"], made["people"][1]["last"]) == (None, None)


def test_json_of_a_platform_that_does_not_tell_has_no_work(config: Mapping[str, Any]) -> None:
    found = status(config, work=True)
    assert found.to_dict()["work"] is None


def test_page_of_files_says_nothing_of_people() -> None:
    page = shown(None)
    assert page.all("table") == []
    assert "Who labelled" not in page.text


def test_only_a_measured_signal_has_its_caution() -> None:
    measured = Signal("kappa", 0.99, "stable.", "a stable model may be wrong.", "Abe, 2009")
    unknown = Signal("change", None, "needs two runs.", "it may mean few labels.", "Ito, 2008")
    page = shown(None, [measured, unknown])
    assert page.text.count("But ") == 1
    assert "But a stable model may be wrong (Abe, 2009)." in page.text


def test_names_are_escaped() -> None:
    page = shown(Work((Act("<script>alert(1)</script>", "1"),)))
    assert page.all("script") == []
    assert rows(page.all("table")[0])[0][0] == "<script>alert(1)</script>"


@pytest.fixture
def config(tmp_path: Path) -> Mapping[str, Any]:
    (tmp_path / "pool.jsonl").write_text(json.dumps({"item_id": "a", "probabilities": [0.5, 0.5]}))
    return {
        "source": {"adapter": "files", "path": str(tmp_path / "pool.jsonl")},
        "state": str(tmp_path / "state"),
    }


def test_status_writes_the_page(config: Mapping[str, Any], tmp_path: Path) -> None:
    found = status(config, page=str(tmp_path / "page.html"))
    assert found.path == tmp_path / "page.html"
    page = parsed((tmp_path / "page.html").read_text())
    assert page.all("h1")
    (refresh,) = [m for m in page.all("meta") if m.attributes.get("http-equiv") == "refresh"]
    assert refresh.attributes["content"] == "60"
    (policy,) = [
        m.attributes["content"]
        for m in page.all("meta")
        if "http-equiv" in m.attributes and "Policy" in m.attributes["http-equiv"]
    ]
    assert "default-src 'none'" in policy


def test_page_must_be_html(config: Mapping[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be a path that ends in \.html"):
        status(config, page=tmp_path / "pool.jsonl")
