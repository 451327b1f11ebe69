"""A part of a Label Studio project: the server's own filters, and readings that break off."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from labelnext.errors import InvalidInput, NotFound, Unavailable
from labelnext.journal import Journal
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.runs.run import run
from tests.integration.choices import CHOICES, choice_task

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


def task(number: int, *, predicted: bool = True) -> dict[str, Any]:
    """The larger the number, the sooner it is labelled."""
    kind = "even" if number % 2 == 0 else "odd"
    p = 0.95 - 0.02 * number
    return choice_task(p if predicted else None, text=f"text {number}", kind=kind)


def add_tab(
    server: LabelStudio, project: int, title: str, *items: Any, any_of: bool = False
) -> int:
    filters = {"conjunction": "or" if any_of else "and", "items": list(items)}
    data = {"title": title, "type": "list", "target": "tasks", "filters": filters}
    body = {"project": project, "data": data}
    return int(server.api("POST", "/api/dm/views/", body)["id"])


def kind(value: str) -> dict[str, Any]:
    column = "filter:tasks:data.kind"
    return {"filter": column, "operator": "equal", "type": "String", "value": value}


def number(operator: str, value: int) -> dict[str, Any]:
    return {"filter": "filter:tasks:id", "operator": operator, "type": "Number", "value": value}


def items(pool: Pool) -> list[int]:
    return sorted(int(i) for i in pool.item_ids)


@pytest.fixture(params=["in one list", "in pages"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which predictions of a part are read."""
    from labelnext_adapters.label_studio.read import read

    monkeypatch.setattr(read, "PAGED_COST", 1000 if request.param == "in one list" else 0)


@pytest.fixture
def asked(connect: Open, monkeypatch: pytest.MonkeyPatch) -> list[httpx.URL]:
    """The addresses of all requests of adapters."""
    from labelnext_adapters.label_studio.server.client import Client

    addresses: list[httpx.URL] = []
    made = Client.__init__

    def make(self: Any, *arguments: Any) -> None:
        made(self, *arguments)
        self._http.event_hooks["request"].append(lambda request: addresses.append(request.url))

    monkeypatch.setattr(Client, "__init__", make)
    return addresses


@pytest.mark.usefixtures("way")
def test_unlabelled_leaves_labelled_tasks_unread_and_counts_them(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(5)])
    ids = label_studio.task_ids(project)
    label_studio.annotate(ids[1])
    label_studio.annotate(ids[3])
    pool = connect(project, unlabelled=True).read()
    assert items(pool) == [ids[0], ids[2], ids[4]]
    assert not pool.missing.any()
    assert [(n.code, n.message) for n in pool.notices] == [
        ("filtered_tasks", "Left out 2 of 5 tasks: source.unlabelled.")
    ]
    assert connect(project).read().labelled.sum() == 2


@pytest.mark.usefixtures("way")
def test_a_tab_is_read_by_its_number_and_by_its_title(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(6)])
    ids = label_studio.task_ids(project)
    tab = add_tab(label_studio, project, "Even", kind("even"), number("greater", ids[1]))
    for name in (tab, "Even"):
        pool = connect(project, tab=name).read()
        assert items(pool) == [ids[2], ids[4]]
        assert [n.message for n in pool.notices] == [f"Left out 4 of 6 tasks: source.tab {name!r}."]
    label_studio.annotate(ids[2])
    both = connect(project, tab="Even", unlabelled=True).read()
    assert items(both) == [ids[4]]
    assert both.notices[0].message == (
        "Left out 5 of 6 tasks: source.unlabelled and source.tab 'Even'."
    )


@pytest.mark.usefixtures("way")
def test_a_tab_that_shows_what_passes_one_of_its_filters_is_read_once(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(6)])
    ids = label_studio.task_ids(project)
    some = number("less", ids[2]), kind("even")
    tab = add_tab(label_studio, project, "Some", *some, any_of=True)
    assert items(connect(project, tab=tab).read()) == [ids[0], ids[1], ids[2], ids[4]]
    assert sorted(label_studio.listing(project, "Some")) == [ids[0], ids[1], ids[2], ids[4]]


def test_a_tab_without_filters_is_the_whole_project(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(2)])
    tab = add_tab(label_studio, project, "All")
    pool = connect(project, tab=tab).read()
    assert items(pool) == label_studio.task_ids(project)
    assert pool.notices == ()


def test_a_tab_that_is_not_there_lists_those_that_are(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(0)])
    tab = add_tab(label_studio, project, "Even", kind("even"))
    with pytest.raises(NotFound, match=rf"got 'Odd'.*available tabs: {tab} \('Even'\)"):
        connect(project, tab="Odd").read()
    other = add_tab(label_studio, project, "Even")
    with pytest.raises(InvalidInput, match=f"the title of tabs {tab}, {other}"):
        connect(project, tab="Even").read()


@pytest.mark.usefixtures("way")
def test_updated_since_reads_what_changed_after_it(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(4)])
    ids = label_studio.task_ids(project)
    page = label_studio.api("GET", "/api/tasks", project=project, fields="all")
    last = max(datetime.fromisoformat(t["updated_at"]) for t in page["tasks"])
    assert items(connect(project, updated_since=last).read()) == []
    label_studio.api(  # a new prediction alone is no change
        "POST",
        f"/api/projects/{project}/import/predictions",
        [{**task(1)["predictions"][0], "task": ids[1]}],
    )
    whole = label_studio.api("GET", f"/api/tasks/{ids[2]}/")["data"]
    label_studio.api("PATCH", f"/api/tasks/{ids[2]}/", {"data": {**whole, "text": "new"}})
    label_studio.annotate(ids[0])
    assert items(connect(project, updated_since=last).read()) == [ids[0], ids[2]]
    # Half an hour earlier by a clock of another zone is the same instant as it says.
    elsewhere = last.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    assert items(connect(project, updated_since=elsewhere).read()) == [ids[0], ids[2]]
    naive = last.astimezone(UTC).replace(tzinfo=None) - timedelta(days=1)
    assert items(connect(project, updated_since=naive).read()) == ids


def test_a_run_over_a_part_ranks_it_alone_and_replaces_the_run_over_the_whole(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(6)])
    ids = label_studio.task_ids(project)
    config = tmp_path / "labelnext.yaml"

    def ranked(more: str = "") -> dict[int, Any]:
        config.write_text(
            f"source: {{adapter: label-studio, url: '{label_studio.url}', project: {project}, "
            f"api_key: {label_studio.token}{more}}}\nreport: {{path: null}}\n"
        )
        report = run(config)
        counts.append([n.code for n in report.notices].count("filtered_tasks"))
        return label_studio.priorities(project)

    counts: list[int] = []
    assert ranked() == dict(
        zip(ids, ("0.1667", "0.3333", "0.5000", "0.6667", "0.8333", "1.0000"), strict=True)
    )
    add_tab(label_studio, project, "Even", kind("even"))
    before = "2020-01-01T00:00:00"
    assert ranked(f", tab: Even, unlabelled: true, updated_since: {before}") == dict(
        zip(ids, ("0.1667", "", "0.5000", "", "0.8333", ""), strict=True)
    )
    assert counts == [0, 1]
    # What has no rank stands behind what has one.
    assert label_studio.listing(project)[:3] == [ids[4], ids[2], ids[0]]


def test_a_whole_project_is_read_without_listing_its_tasks(
    label_studio: LabelStudio, connect: Open, asked: list[httpx.URL]
) -> None:
    rows = [task(i, predicted=i != 1) for i in range(5)]
    project = label_studio.create_project(CHOICES, rows)
    ids = label_studio.task_ids(project)
    label_studio.annotate(ids[3])
    pool = connect(project, labels=None).read()
    pages = [json.loads(url.params["query"]) for url in asked if url.path == "/api/tasks"]
    columns = [[f["filter"] for f in page["filters"]["items"]] for page in pages]
    assert [c[0].removeprefix("filter:tasks:") for c in columns] == [
        "total_predictions",
        "total_annotations",
        "cancelled_annotations",
    ]
    assert items(pool) == ids
    assert pool.missing.tolist() == [False, True, False, False, False]
    assert pool.labelled.tolist() == [False, False, False, True, False]
    by_name = connect(project, labels=None, key="text").read()
    assert by_name.missing.tolist() == pool.missing.tolist()
    assert by_name.labelled.tolist() == pool.labelled.tolist()


def test_tasks_that_the_servers_counters_do_not_show_are_found_all_the_same(
    label_studio: LabelStudio, connect: Open, asked: list[httpx.URL]
) -> None:
    import sqlite3

    project = label_studio.create_project(CHOICES, [task(0), task(1, predicted=False)])
    with sqlite3.connect(label_studio.data / "label_studio.sqlite3", timeout=30) as database:
        database.execute("UPDATE task SET total_predictions = 1 WHERE project_id = ?", [project])
    database.close()
    pool = connect(project).read()
    assert items(pool) == label_studio.task_ids(project)
    assert pool.missing.tolist() == [False, True]


# ---- readings that break off


class Broken:
    """Lets the first requests through and spoils some that come then."""

    def __init__(self, adapter: Any, path: str, after: int, times: int, error: str) -> None:
        self.path, self.after, self.times, self.error = path, after, times, error
        self.seen: list[httpx.URL] = []
        adapter.client._http.event_hooks["request"].append(self)
        adapter.client.pauses = (0.0, 0.0, 0.0)

    def __call__(self, request: httpx.Request) -> None:
        if request.url.path == self.path:
            self.seen.append(request.url)
            if self.after < len(self.seen) <= self.after + self.times:
                kind = httpx.ReadTimeout if self.error == "timeout" else httpx.ReadError
                raise kind("spoilt", request=request)


@pytest.fixture
def by_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    from labelnext_adapters.label_studio.read import read

    monkeypatch.setattr(read, "MOST_IN_ONE_LIST", 1)
    monkeypatch.setattr(read, "PAGE_SIZE_WITH_PREDICTIONS", 4)


def pages(seen: list[httpx.URL]) -> list[tuple[int, int]]:
    """The last id before each page that was asked for, and the page's size."""
    queries = [json.loads(url.params["query"])["filters"]["items"] for url in seen]
    sizes = [int(url.params["page_size"]) for url in seen]
    return [(filters[-1]["value"], size) for filters, size in zip(queries, sizes, strict=True)]


@pytest.mark.usefixtures("by_pages")
@pytest.mark.parametrize(
    ("error", "times", "asked"),
    [
        # The place among the tasks after which a page begins, and the page's size.
        ("cut", 3, [(0, 4), (4, 4), (4, 4), (4, 4), (4, 4), (8, 4)]),
        ("timeout", 1, [(0, 4), (4, 4), (4, 2), (6, 2), (8, 2)]),
    ],
    ids=["as it was", "in halves after a timeout"],
)
def test_a_page_that_fails_is_asked_for_again_from_where_the_reading_was(
    label_studio: LabelStudio, connect: Open, error: str, times: int, asked: list[tuple[int, int]]
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(10)])
    after = [0, *label_studio.task_ids(project)]
    expected = connect(project).read().fingerprint()
    adapter = connect(project)
    broken = Broken(adapter, "/api/tasks", after=1, times=times, error=error)
    assert adapter.read().fingerprint() == expected
    assert pages(broken.seen) == [(after[place], size) for place, size in asked]


@pytest.mark.usefixtures("by_pages")
def test_a_server_that_stays_away_ends_the_reading(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(10)])
    adapter = connect(project)
    broken = Broken(adapter, "/api/tasks", after=1, times=1000, error="timeout")
    with pytest.raises(Unavailable, match="did not answer"):
        adapter.read()
    assert len(broken.seen) == 1 + 4


def test_a_list_of_predictions_that_breaks_off_is_read_again_and_counts_once(
    label_studio: LabelStudio, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext_adapters.label_studio.server import json_rows as rows

    project = label_studio.create_project(CHOICES, [task(i) for i in range(30)])
    whole = connect(project).read()
    adapter = connect(project)
    adapter.client.pauses = (0.0,)
    monkeypatch.setattr(rows.decode_rows, "__kwdefaults__", {"block": 100})
    sent: list[int] = []

    class CutOff(httpx.SyncByteStream):
        """The answer's body, without what comes after its first thousand bytes."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __iter__(self) -> Any:
            yield from [b"".join(self._stream)[:1000]]
            raise httpx.ReadError("cut")

        def close(self) -> None:
            self._stream.close()

    def cut(response: httpx.Response) -> None:
        if response.request.url.path == "/api/predictions/":
            sent.append(response.status_code)
            if len(sent) == 1:
                response.stream = CutOff(response.stream)

    adapter.client._http.event_hooks["response"].append(cut)
    pool = adapter.read()
    assert sent == [200, 200]
    assert pool.fingerprint() == whole.fingerprint()
    assert pool.notices == whole.notices


def test_a_run_over_a_part_is_undone(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, [task(i) for i in range(4)])
    ids = label_studio.task_ids(project)
    add_tab(label_studio, project, "Even", kind("even"))
    first = connect(project)
    plan = first.plan(rank(first.read(), "margin"))
    first.apply(plan, Journal.create(tmp_path, plan))
    before = label_studio.dump(project)
    adapter = connect(project, tab="Even", key="text")
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    assert label_studio.priorities(project)[ids[1]] == ""
    connect(project).undo(Journal(journal.path))
    assert label_studio.dump(project) == before
