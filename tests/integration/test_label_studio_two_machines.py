"""Runs of several machines on one project, taken back in any order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.errors import WriteRefused
from labelnext.journal import Journal
from labelnext.pool import Pool
from labelnext.ranking import Ranking, rank
from labelnext.runs.ranked import with_prelabels
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.writing import write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

N = 6
# The places of the predictions among the tasks, for the runs A, B and C.
KEPT, TURNED, PARTLY = (0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (0, 1, 2, 3, 5, 4)
ORDERS = {
    "the same ranking": (KEPT, KEPT, KEPT),
    "the ranking partly another": (KEPT, PARTLY, KEPT),
    "another ranking each": (KEPT, TURNED, PARTLY),
}
OPTIONS: list[dict[str, Any]] = [
    {"mode": "queue"},
    {"mode": "batch"},
    {"mode": "uncertainty"},
    {"mode": "queue", "prelabels": True},
]

# Each letter is a run of another machine, -A the undo of run A; "=B" says that the project is then
# as run B left it, "=0" that it is as it was before all of them.
SEQUENCES = [
    "A B -A=B -B=A -A=0",
    "A B C -C=B -B=A -A=0",
    "A B C -B=C -C=B -A=B -B=A -A=0",
    "A B -A=B C -B=C -C=B -B=A -A=0",
]


class Machines:
    """Writes and takes back runs of one project, and notes how each left it."""

    def __init__(self, server: LabelStudio, connect: Open, folder: Path) -> None:
        self.server, self.connect, self.folder = server, connect, folder
        self.project = server.create_project(CHOICES, sure_to_unsure(N))
        self.runs: dict[str, Journal] = {}
        self.left = {"0": self.state()}

    def state(self) -> Any:
        """What people see and are served by, and what undo goes by, without numbers and dates."""
        settings, tabs, tasks, predictions = self.server.dump(self.project)
        rows = [(p["task"], p["model_version"], p["score"], p["neighbors"]) for p in predictions]
        return {
            "settings": [settings[name] for name in ("sampling", "model_version")],
            "tabs": sorted(
                ({k: v for k, v in tab["data"].items() if k != "columnsWidth"} for tab in tabs),
                key=lambda tab: str(tab["title"]),
            ),
            "data": {
                task["id"]: {k: v for k, v in task["data"].items() if v != ""}
                for task in tasks["tasks"]
            },
            "counts": [task["total_predictions"] for task in tasks["tasks"]],
            "predictions": sorted(rows, key=str),
        }

    def claims(self, mode: str) -> Any:
        """What a run of that mode calls its own."""
        state = self.state()
        if mode == "uncertainty":
            return state["settings"], state["predictions"]
        names = ["labelnext_batch"] + ["labelnext_priority"] * (mode == "queue")
        run = {"run": self.runs["B"].run_id}
        tabs = [tab for tab in state["tabs"] if tab.get("labelnext") == run]
        return tabs, [[data.get(name) for name in names] for data in state["data"].values()]

    def ranking(self, adapter: Any, places: tuple[int, ...]) -> Ranking:
        pool = adapter.read()
        assert pool.probabilities is not None
        moved = Pool(
            pool.item_ids, probabilities=pool.probabilities[[*places]], classes=pool.classes
        )
        ranking = rank(moved, "margin", budget=3)
        return with_prelabels(moved, ranking) if adapter.wants_prelabels() else ranking

    def run(self, name: str, places: tuple[int, ...], options: dict[str, Any]) -> None:
        adapter = self.connect(self.project, write=options)
        folder = self.folder / f"{len(self.runs)}"
        self.runs[name] = write(adapter, folder, self.ranking(adapter, places))
        self.left[name] = self.state()

    def undo(self, name: str) -> list[str]:
        """Take a run back, and say what stayed; a refusal says so, too."""
        try:
            stayed: list[str] = self.connect(self.project).undo(Journal(self.runs[name].path))
        except WriteRefused as error:
            return [error.message]
        return stayed


@pytest.fixture
def machines(label_studio: LabelStudio, connect: Open, tmp_path: Path) -> Machines:
    return Machines(label_studio, connect, tmp_path)


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("orders", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda options: "-".join(map(str, options.values()))
)
def test_what_the_newest_run_claims_stays_until_its_own_undo(
    machines: Machines, options: dict[str, Any], orders: tuple[tuple[int, ...], ...], sequence: str
) -> None:
    done: list[str] = []
    for word in sequence.split():
        done.append(word)
        if not word.startswith("-"):
            machines.run(word, orders["ABC".index(word)], options)
            continue
        name, end = word[1:].split("=")
        stayed = machines.undo(name)
        assert machines.state() == machines.left[end], " ".join(done)
        if end != "0" and end > name:  # the newest run that is left is named
            assert machines.runs[end].run_id in " ".join(stayed), " ".join(done)


@pytest.mark.parametrize("undos", ["BA", "ABA"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"mode": "queue"}, {"mode": "batch"}),
        ({"mode": "batch"}, {"mode": "queue"}),
        ({"mode": "queue"}, {"mode": "uncertainty"}),
        ({"mode": "uncertainty"}, {"mode": "queue"}),
        ({"mode": "batch", "annotators": 2}, {"mode": "uncertainty"}),
        ({"mode": "queue", "annotators": 2}, {"mode": "queue"}),
        ({"mode": "queue"}, {"mode": "queue", "annotators": ["ann", "bob"]}),
        ({"mode": "queue", "tab": "Mine"}, {"mode": "queue", "tab": "Yours"}),
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_undos_of_unlike_runs_end_as_before(
    machines: Machines, one: dict[str, Any], other: dict[str, Any], undos: str
) -> None:
    machines.run("A", KEPT, one)
    machines.run("B", KEPT, other)
    theirs = machines.claims(other["mode"])
    for number, name in enumerate(undos):
        journal = Journal(machines.runs[name].path)
        if not journal.undone or journal.kept_for is not None:  # as the command refuses it
            machines.undo(name)
        if undos[: number + 1] == "A":
            assert machines.claims(other["mode"]) == theirs
        elif undos[: number + 1] == "B":
            assert machines.state() == machines.left["A"]
    assert machines.state() == machines.left["0"]


def test_a_tab_that_every_run_gave_up_is_not_made_again(machines: Machines) -> None:
    runs = (("A", 1, KEPT), ("B", 2, TURNED), ("C", 2, TURNED), ("D", 1, PARTLY))
    for name, machine, places in runs:
        adapter = machines.connect(machines.project, write={"mode": "batch"})
        folder = machines.folder / f"{machine}"
        machines.runs[name] = write(adapter, folder, machines.ranking(adapter, places))
    # First those of the second machine, then of the first, then what each undo said that is left.
    for name in "CBDABCAC":
        machines.undo(name)
    assert machines.state() == machines.left["0"]


def test_a_tab_that_served_nothing_comes_back_with_the_undo_of_all_who_took_it_away(
    machines: Machines,
) -> None:
    machines.run("X", KEPT, {"mode": "queue"})
    for name in "AB":
        machines.run(name, KEPT, {"mode": "queue", "annotators": 2})
    for name, end in zip("ABAX", "BAX0", strict=True):
        machines.undo(name)
        assert machines.state() == machines.left[end], name


def test_a_plan_names_the_tab_of_another_configuration_that_would_show_its_order(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(N))

    def planned(title: str, state: str) -> list[str]:
        adapter = connect(project, write={"tab": title}, state=tmp_path / state)
        plan = adapter.plan(rank(adapter.read(), "margin"))
        return [line for line in plan.next_steps if "wasn't made here" in line]

    first = connect(project, write={"tab": "First"}, state=tmp_path / "a")
    run = write(first, tmp_path / "a").run_id
    label_studio.api(  # a copy, as a person makes it
        "POST",
        "/api/dm/views/",
        {
            "project": project,
            "data": {**label_studio.tab(project, "First")["data"], "title": "Copy"},
        },
    )
    assert planned("First", "a") == planned("Second", "a") == []
    said = planned("Second", "b")
    assert [line.partition(",")[0] for line in said] == [
        f'The tab "First" of run {run}',
        f'The tab "Copy" of run {run}',
    ]
    assert len(planned("First", "b")) == 1, "the copy alone: First is written by this run"
