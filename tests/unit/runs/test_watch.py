"""watch: when it ranks again, how it waits for a platform that is away, and how it ends."""

from __future__ import annotations

import errno
import gc
import itertools
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.config.config import Config, load_config
from labelnext.errors import (
    CommandFailed,
    ConfigError,
    InvalidInput,
    LabelnextWarning,
    Unavailable,
)
from labelnext.journal.lock import only_run
from labelnext.journal.state import no_state
from labelnext.runs import watch as module
from labelnext.runs.run import run
from labelnext.runs.status import status
from labelnext.runs.undo import runs
from labelnext.runs.watch import Health, watch
from labelnext.support.files import write_failed


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n")
    path = tmp_path / "c.yaml"
    path.write_text("source: {adapter: files, path: p.csv}\nreport: {path: null}\n")
    return path


def counting(patch: pytest.MonkeyPatch, counts: Iterable[int | Exception]) -> None:
    """Let the platform answer with these counters, one after the other."""
    answers = iter(counts)

    def count(settings: object) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    patch.setattr(module, "_count", count)


class Clock(threading.Event):
    """Ends after some waits; notes how long each was, and does not wait."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._looks = looks

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        if len(self.waits) == self._looks:
            self.set()
        return self.is_set()


def test_another_configuration_of_the_same_target_is_named_once(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = config.with_name("other.yaml")
    other.write_text(config.read_text())
    run(other)
    counting(monkeypatch, [0, 50])
    told: list[Health] = []
    with pytest.warns(LabelnextWarning, match="other.yaml also writes this file"):
        watch(config, stop=Clock(2), tell=told.append)
    assert [("other.yaml also writes this file" in h.message) for h in told] == [True, False]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": 0}, "labels must be at least 1; got 0."),
        ({"minutes": 0.0}, "minutes must be above 0; got 0.0."),
        ({"poll": -1.0}, "poll must be above 0; got -1.0."),
    ],
)
def test_a_number_that_is_too_low_is_named(config: Path, given: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        watch(config, **given)
    assert str(caught.value) == said


def test_it_ranks_at_first_and_after_so_many_labels(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 4, 5, 9, 10, 5])
    told: list[Health] = []
    watch(config, labels=5, stop=Clock(6), tell=told.append)
    # 0 is the first run; 5 is five more, 10 again; back to 5 because five were deleted.
    assert [h.runs for h in told] == [1, 1, 2, 2, 3, 4]
    assert [j.status for j in runs(config)] == ["done"] * 4
    assert told[1].message == "4 labels, 4 of 5 since the last ranking"


def test_nothing_else_is_asked_before_a_ranking_that_labels_make_due(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 5, 6])
    asked: list[str] = []
    monkeypatch.setattr(module, "_stored", lambda _: asked.append("stored") or "m1 5")
    monkeypatch.setattr(module, "_ran_dry", lambda _: asked.append("dry") or ())
    monkeypatch.setattr(module, "run", lambda settings: asked.append("run") or run(settings))
    watch(config, labels=5, stop=Clock(3))
    first, after_labels, waits = ["stored", "run", "stored"], ["run", "stored"], ["stored", "dry"]
    assert asked == [*first, *after_labels, *waits]


def test_it_ranks_after_so_much_time_if_anything_was_labelled(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 0, 1, 1])
    now = itertools.count(0, 60)  # a minute goes by between two questions for the time
    monkeypatch.setattr(module.time, "time", lambda: next(now))
    told: list[Health] = []
    watch(config, labels=5, minutes=1, stop=Clock(4), tell=told.append)
    assert [h.runs for h in told] == [1, 1, 2, 2]


def test_a_new_process_goes_on_where_the_last_one_ended(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [3, 5, 8])
    assert watch(config, labels=5, once=True).runs == 1
    assert watch(config, labels=5, once=True).runs == 0
    assert watch(config, labels=5, once=True).runs == 1


def test_it_waits_longer_and_longer_while_the_platform_is_away(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Unavailable("the server does not answer.")
    counting(monkeypatch, [0, *[away] * 6, 0])
    told: list[Health] = []
    stop = Clock(8)
    watch(config, labels=5, poll=10, stop=stop, tell=told.append)
    assert stop.waits == [10, 20, 40, 80, 160, 300, 300, 10]
    assert [h.ok for h in told] == [True, *[False] * 6, True]
    assert told[1].message == "trying again: the server does not answer."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("nobody answers.", hint="start it."), "nobody answers. Hint: start it."),
        (CommandFailed("it ended."), "the queue is as it was: it ended."),
    ],
)
def test_one_look_promises_no_other(
    config: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    counting(monkeypatch, [error])
    health = watch(config, labels=5, once=True)
    assert (health.ok, health.message) == (False, said)


def test_a_disk_that_is_full_is_waited_for_wherever_it_is_noticed(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 0, 0, 0])
    full = OSError(errno.ENOSPC, "No space left on device")
    faults = iter([no_state(config.parent / ".labelnext", full), write_failed("watch.json", full)])
    run, save_seen = module.run, module.save_seen

    def failing(act: Callable[..., Any]) -> Callable[..., Any]:
        """The act, but the first time the disk is full."""
        fault = [next(faults)]

        def done(*arguments: Any) -> Any:
            if fault:
                raise fault.pop()
            return act(*arguments)

        return done

    monkeypatch.setattr(module, "run", failing(run))
    monkeypatch.setattr(module, "save_seen", failing(save_seen))
    told: list[Health] = []
    stop = Clock(4)
    watch(config, labels=5, poll=10, stop=stop, tell=told.append)
    assert [h.ok for h in told] == [False, False, True, True]
    assert ["No space left on device" in h.message for h in told] == [True, True, False, False]
    assert stop.waits == [20, 40, 10, 10]
    assert [h.runs for h in told] == [0, 0, 1, 1]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells it there")
def test_ten_rounds_leave_no_more_than_20_mb_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each pool has 4 MB of embeddings, so ten that stay are noticed.
    rng = np.random.default_rng(0)
    n = 1000
    labels = np.where(np.arange(n) < 40, np.arange(n) % 2, -1)
    np.savez(
        tmp_path / "p.npz",
        ids=np.arange(n).astype(str),
        embeddings=rng.normal(size=(n, 1024)).astype(np.float32),
        labels=labels,
    )
    path = tmp_path / "c.yaml"
    path.write_text(
        "source: {adapter: files, path: p.npz, model: {probe: nearest}}\nreport: {path: null}\n"
        "selection: {method: top_k, budget: 20}\n"
    )
    n_warm, n_rounds = 2, 10
    counting(monkeypatch, range(0, 20 * (n_warm + n_rounds), 20))
    used: list[float] = []

    def tell(health: Health) -> None:
        assert health.ok, health.message
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        used.append(pages * os.sysconf("SC_PAGESIZE") / 2**20)

    watch(path, stop=Clock(n_warm + n_rounds), tell=tell)
    assert len(runs(path)) == n_warm + n_rounds
    assert used[-1] - used[n_warm - 1] < 20


def test_it_waits_while_another_run_is_in_progress(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 0])
    told: list[Health] = []
    with only_run(config.parent / ".labelnext"):
        watch(config, stop=Clock(1), tell=told.append)
    watch(config, stop=Clock(1), tell=told.append)
    assert [(h.ok, h.runs) for h in told] == [(False, 0), (True, 1)]
    assert "another run is in progress" in told[0].message


def test_a_run_that_has_begun_is_finished(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting(monkeypatch, [0])
    stop = threading.Event()
    original = module.run

    def stopped(settings: object) -> object:
        stop.set()  # as SIGTERM does
        return original(settings)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "run", stopped)
    assert watch(config, stop=stop).runs == 1
    assert [j.status for j in runs(config)] == ["done"]


def test_its_page_is_written_after_each_ranking_and_a_failure_stops_nothing(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config.write_text(config.read_text() + "watch: {page: pages/now.html}\n")
    (tmp_path / "pages").touch()  # a file in place of the folder
    counting(monkeypatch, [0, 20])
    first = watch(config, once=True)
    assert first.ok
    assert ", but no page: " in first.message
    (tmp_path / "pages").unlink()
    second = watch(config, once=True)
    assert (second.ok, second.message.count("no page")) == (True, 0)
    assert "How far along" in (tmp_path / "pages" / "now.html").read_text()
    # The command may name the same page.
    assert status(config, page=tmp_path / "pages" / "now.html").path is not None


def test_a_page_that_is_no_page_is_refused(config: Path) -> None:
    config.write_text(config.read_text() + "watch: {page: p.csv}\n")
    with pytest.raises(ConfigError, match=r"watch\.page must be a path that ends in \.html"):
        load_config(config)


def test_an_adapter_that_cannot_count_is_named(config: Path) -> None:
    with pytest.raises(ConfigError, match="must be able to count labels; 'files' can't") as caught:
        watch(config, once=True)
    assert caught.value.hint == (
        f"adapters that can: fiftyone, label-studio. Or schedule labelnext run {config} instead."
    )


@pytest.mark.parametrize("pipe", [False, True])
def test_a_record_that_cannot_be_read_costs_one_run(
    config: Path, monkeypatch: pytest.MonkeyPatch, pipe: bool
) -> None:
    counting(monkeypatch, [3, 3])
    watch(config, once=True)
    record = config.parent / ".labelnext" / "loop" / config.stem / "seen.json"
    record.unlink()
    if pipe:  # nobody writes to it
        os.mkfifo(record)
        os.mkfifo(config.parent / ".labelnext" / "history" / "20990101T000000-000000.npz")
        status(config)
        monkeypatch.setattr(module, "save_seen", lambda *_: None)
    else:
        record.write_text("{")
    assert watch(config, once=True).runs == 1


def test_it_ranks_again_once_for_people_who_have_nothing_left(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 1, 2, 3, 4])
    # Nobody; then bo, who still has nothing after the run; then ann as well.
    answers = iter([(), ("bo",), ("bo",), ("bo",), ("ann", "bo"), ()])
    monkeypatch.setattr(module, "_ran_dry", lambda settings: next(answers))
    told: list[Health] = []
    watch(config, labels=50, stop=Clock(5), tell=told.append)
    assert [h.runs for h in told] == [1, 1, 2, 2, 3]


def test_what_an_adapter_remembers_lasts_until_the_platform_fails(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 5, Unavailable("the server does not answer."), 10])
    original = module.run
    remembered: list[object] = []

    def remembering(settings: Config) -> object:
        memory = settings.open_adapter()._context.memory  # type: ignore[attr-defined]
        assert memory is settings.memory
        remembered.append(memory.get("runs"))
        memory["runs"] = memory.get("runs", 0) + 1
        return original(settings)

    monkeypatch.setattr(module, "run", remembering)
    watch(config, labels=5, stop=Clock(4))
    assert remembered == [None, 1, None]
    assert load_config(config).open_adapter()._context.memory is None  # type: ignore[attr-defined]
