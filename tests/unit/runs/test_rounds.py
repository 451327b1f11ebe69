"""A round: labels out, the command, predictions in, a new ranking; or everything as it was."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import Context
from labelnext.config import load_config
from labelnext.errors import CommandFailed, ConfigError, InvalidInput, Unavailable
from labelnext.runs import push as push_module
from labelnext.runs import rounds as module
from labelnext.runs import watch as watch_module
from labelnext.runs.rounds import check_loop, folder_of, load_rounds, predictions_of, train
from labelnext.runs.undo import runs
from labelnext.runs.watch import Health, watch
from tests.contract.minimal_adapter import MinimalAdapter, MinimalSource, MinimalWrite, load
from tests.unit.runs.test_watch import Clock, counting

TRAIN = """
import os, pathlib, sys
labels = pathlib.Path(os.environ["LABELNEXT_LABELS"])
assert labels.is_file(), labels
names = ("ROUND", "VERSION", "CONFIG")
print(*(os.environ["LABELNEXT_" + name] for name in names))
pathlib.Path(os.environ["LABELNEXT_PREDICTIONS"]).write_text(
    "item_id,p_yes,p_no\\na,0.25,0.75\\n"
)
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose platform is a JSON file, with a command that predicts one item."""
    kinds = ("runs", "object_scores", "labels", "tasks", "queues", "versions")
    more = {"embedding": [0.0], "group": "video"}
    rows = {
        "a": {"probabilities": [0.9, 0.1], **more},
        "b": {"probabilities": [0.5, 0.5], "label": 0, **more},
    }
    data = {"id": "f00d", "classes": ["yes", "no"], "items": rows, **{k: {} for k in kinds}}
    (tmp_path / "platform.json").write_text(json.dumps(data))
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n")
    (tmp_path / "train.py").write_text(TRAIN)

    @contextmanager
    def opened(*_: object) -> Iterator[MinimalAdapter]:
        source = MinimalSource(path=tmp_path / "platform.json")
        yield MinimalAdapter(source, MinimalWrite(), Context())

    for user in (module, push_module, sys.modules["labelnext.runs.labelled_file"]):
        monkeypatch.setattr(user, "opened", opened)
    path = tmp_path / "c.yaml"
    command = json.dumps([sys.executable, "train.py"])
    path.write_text(
        "source: {adapter: files, path: p.csv}\nreport: {path: null}\n"
        f"watch: {{labels: 5, command: {command}, predictions: new.csv}}\n"
    )
    return path


def go(config: Path, count: int) -> str | None:
    return train(load_config(config), count, threading.Event())


def versions(config: Path) -> Any:
    return load(config.parent / "platform.json")["versions"]


def test_round_hands_over_labels_and_pushes_what_the_command_wrote(config: Path) -> None:
    assert go(config, 3) == "round 1 stored 1 prediction as round-1"
    assert versions(config) == {"round-1": {"a": {"yes": 0.25, "no": 0.75}}}
    assert [(journal.what, journal.status) for journal in runs(config)] == [("push", "done")]
    folder = folder_of(load_config(config))
    assert (folder / "round-1.log").read_text() == f"1 round-1 {config}\n"
    assert (folder / "labels.parquet").stat().st_mode & 0o777 == 0o600


def test_same_label_count_is_not_trained_on_twice(config: Path) -> None:
    go(config, 3)
    assert go(config, 3) == ""
    assert go(config, 4) == "round 2 stored 1 prediction as round-2"
    assert [*versions(config)] == ["round-1", "round-2"]


def test_failed_command_writes_nothing_and_its_number_is_gone(config: Path) -> None:
    train_file = config.parent / "train.py"
    train_file.write_text(TRAIN + "sys.exit('out of memory')\n")
    with pytest.raises(CommandFailed, match="exit code 1: out of memory"):
        go(config, 3)
    assert versions(config) == {}
    assert runs(config) == []
    train_file.write_text(TRAIN)
    assert go(config, 3) == "round 2 stored 1 prediction as round-2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item_id,p_yes,p_no\na,0.25", "can't be stored: new.csv: every line must have 3 values"),
        ("item_id,p_yes,p_no\nz,0.25,0.75\n", "can't be stored: the predictions must have ids of"),
        ("", "can't be stored: new.csv: the file must not be empty"),
        ("item_id,p_yes,p_no\na,,\nz,1,0\n", "stored: Nothing to store: no prediction of the file"),
    ],
)
def test_predictions_that_cannot_be_used_fail_the_round_alone(
    config: Path, text: str, said: str
) -> None:
    train_file = config.parent / "train.py"
    train_file.write_text(f"open('new.csv', 'w').write({text!r})")
    with pytest.raises(CommandFailed, match=said):
        go(config, 3)
    assert versions(config) == {}
    train_file.write_text(TRAIN)
    assert go(config, 3) == "round 2 stored 1 prediction as round-2"


def test_a_folder_that_a_command_left_is_gone_before_the_next_round(config: Path) -> None:
    config.write_text(config.read_text().replace(", predictions: new.csv}", "}"))
    train_file = config.parent / "train.py"
    train_file.write_text("import os; os.makedirs(os.environ['LABELNEXT_PREDICTIONS'] + '/x')")
    with pytest.raises(CommandFailed, match="can't be stored: "):
        go(config, 3)
    writes = "import pandas; pandas.DataFrame({'item_id': ['a'], 'p_yes': [0.25], 'p_no': [0.75]})"
    train_file.write_text(f"import os; {writes}.to_parquet(os.environ['LABELNEXT_PREDICTIONS'])")
    assert go(config, 3) == "round 2 stored 1 prediction as round-2"


def test_command_that_writes_no_predictions_is_no_fault(config: Path) -> None:
    go(config, 3)
    (config.parent / "train.py").write_text("")
    assert go(config, 4) == "round 2 wrote no predictions"  # the file of round 1 doesn't count
    assert [*versions(config)] == ["round-1"]


def test_side_file_is_left_to_the_run(config: Path) -> None:
    side = "predictions: {file: new.csv}"
    config.write_text(config.read_text().replace("path: p.csv", f"path: p.csv, {side}"))
    config.write_text(config.read_text().replace(", predictions: new.csv}", "}"))
    assert predictions_of(load_config(config)) == config.parent / "new.csv"
    assert go(config, 3) == "round 1 wrote new.csv"
    assert (versions(config), runs(config)) == ({}, [])


def test_stop_ends_the_round(config: Path) -> None:
    stop = threading.Event()
    stop.set()
    (config.parent / "train.py").write_text("import time\ntime.sleep(3600)\n")
    assert train(load_config(config), 3, stop) is None
    assert versions(config) == {}


def test_without_a_command_nothing_happens(config: Path) -> None:
    config.write_text("source: {adapter: files, path: p.csv}\n")
    assert go(config, 3) == ""
    assert not (config.parent / ".labelnext").exists()


def test_platform_that_takes_no_predictions_needs_a_side_file(config: Path) -> None:
    settings = load_config(config)
    with pytest.raises(ConfigError, match="must be able to take predictions") as caught:
        check_loop(settings, settings.open_adapter())
    assert "Or name the file that the command writes in source.predictions." in str(caught.value)


def test_version_that_no_run_would_read_is_refused(config: Path) -> None:
    class Strict(MinimalAdapter):
        def reads_version(self, version: str) -> bool:
            return version == "v8"

    source = MinimalSource(path=config.parent / "platform.json")
    adapter = Strict(source, MinimalWrite(), Context())
    with pytest.raises(ConfigError, match="watch.version must be a version that runs read"):
        check_loop(load_config(config), adapter)


def test_watch_runs_the_command_then_ranks_and_backs_off_if_it_fails(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 4, 5, 5, 5])
    told: list[Health] = []
    (config.parent / "train.py").write_text(TRAIN + "sys.exit(int(sys.argv[-1] == '-'))\n")
    outcomes = iter(["round 1 done", CommandFailed("it ended.", hint="see it."), "", ""])

    def trained(*_: object) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(watch_module, "train", trained)
    stop = Clock(5)
    watch(config, stop=stop, tell=told.append)
    assert [h.ok for h in told] == [True, True, False, True, True]
    assert told[0].message.startswith("0 labels: round 1 done, ranked 2 items, run ")
    assert told[2].message == "the queue is as it was, trying again: it ended. Hint: see it."
    assert [h.runs for h in told] == [1, 1, 1, 2, 2]
    assert stop.waits == [10, 10, 20, 10, 10]


def test_a_command_that_fails_before_anything_is_labelled_is_told_so(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 3])
    train_file = config.parent / "train.py"
    train_file.write_text("import sys; sys.exit('This needs samples of two classes')\n")
    told: list[Health] = []
    watch(config, stop=Clock(2), tell=told.append)
    failed = "watch.command ended with exit code 1: This needs samples of two classes."
    assert f"{failed} Nothing is labelled yet. Hint: see what it printed" in told[0].message
    assert f"{failed} Hint: see what it printed" in told[1].message


def test_a_command_that_leaves_nothing_to_rank_by_is_named_and_run_again(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0] * 3)
    (config.parent / "p.csv").write_text("item_id,text\nx,hello\ny,hi\n")
    (config.parent / "train.py").write_text("")
    told: list[Health] = []
    watch(config, stop=Clock(2), tell=told.append)
    said = "the queue is as it was, trying again: watch.command wrote nothing, and top_k needs"
    assert [(h.ok, h.message.startswith(said)) for h in told] == [(False, True)] * 2
    assert "the file that LABELNEXT_PREDICTIONS names" in told[0].message
    assert load_rounds(load_config(config)).number == 2
    (config.parent / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n")
    watch(config, stop=Clock(1), tell=told.append)
    assert told[-1].message.startswith("0 labels: round 3 wrote no predictions, ranked 2 items")


def test_predictions_of_others_are_noticed_once_they_have_settled(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0] * 5)
    monkeypatch.setattr(watch_module, "train", lambda *_: "")
    # Of each look, and after each run: at first m1; then m2 comes in two parts, and stays.
    states = iter(["m1 5", "m1 5", "m1 5; m2 1", "m1 5; m2 5", "m1 5; m2 5", "m1 5; m2 5"] * 2)
    monkeypatch.setattr(watch_module, "_stored", lambda _: next(states))
    told: list[Health] = []
    watch(config, labels=5, stop=Clock(4), tell=told.append)
    assert [h.runs for h in told] == [1, 1, 1, 2]


def test_a_side_file_that_cannot_be_read_is_waited_for(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: object) -> None:
        raise InvalidInput("new.csv is cut off.", hint="write it again.")

    counting(monkeypatch, [0] * 3)
    monkeypatch.setattr(watch_module, "train", lambda *_: "")
    monkeypatch.setattr(watch_module, "run", half)
    with pytest.raises(InvalidInput):
        watch(config, stop=Clock(1))
    text = config.read_text().replace(", predictions: new.csv}", "}")
    config.write_text(text.replace("path: p.csv", "path: p.csv, predictions: {file: new.csv}"))
    told: list[Health] = []
    watch(config, stop=Clock(2), tell=told.append)
    said = "the queue is as it was, trying again: new.csv is cut off. Hint: write it again."
    assert [(h.ok, h.message) for h in told] == [(False, said)] * 2


def test_run_counts_though_the_platform_goes_away_right_after_it(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(monkeypatch, [0, 0])
    monkeypatch.setattr(watch_module, "train", lambda *_: "")
    states: Iterator[Any] = iter(["m1 5", Unavailable("gone."), "m1 5"])

    def stored(_: object) -> str:
        state = next(states)
        if isinstance(state, Exception):
            raise state
        return str(state)

    monkeypatch.setattr(watch_module, "_stored", stored)
    told: list[Health] = []
    watch(config, labels=5, stop=Clock(2), tell=told.append)
    assert [(h.ok, h.runs) for h in told] == [(True, 1), (True, 1)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('{command: "python \'train"}', "must have a second quotation mark"),
        ("{command: []}", "must name a program"),
        ("{labels: 0}", "watch.labels"),
        ("{command: python a.py && python b.py}", "line 2: watch.shell must be true .* has '&&'"),
        ("{command: python a.py; python b.py}", "watch.shell must be true .* has ';'"),
        ("{command: python a.py > log.txt}", "has '>'"),
        ("{command: python a.py 2>&1 | tee log}", "has '2>&1'"),
        ('{command: python a.py --to "$LABELNEXT_PREDICTIONS"}', r"has '\$LABELNEXT_PREDICTIONS'"),
        ("{version: '{time}'}", "must be a name, with {round}"),
    ],
)
def test_wrong_settings_are_refused_with_their_key(config: Path, given: str, message: str) -> None:
    config.write_text(f"source: {{adapter: files, path: p.csv}}\nwatch: {given}\n")
    with pytest.raises(ConfigError, match=message.replace("{", "\\{")):
        load_config(config)


@pytest.mark.parametrize(
    "given",
    [
        """{command: 'python -c "import a; a.b(1 > 2 && 3)"'}""",
        """{command: "python train.py --price '$5' --url http://x/?a=1&b=2 --sep a;b"}""",
        "{command: [python, a.py, $HOME, '&&']}",
        "{command: python a.py && python b.py, shell: true}",
        "{command: pip install 'numpy>=2', shell: false}",
    ],
)
def test_commands_that_need_no_shell_are_left_alone(config: Path, given: str) -> None:
    config.write_text(f"source: {{adapter: files, path: p.csv}}\nwatch: {given}\n")
    assert load_config(config).watch.command


def test_command_line_wins_over_the_configuration(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "train", lambda *_: "")
    counting(monkeypatch, [0, 5, 7])
    told: list[Health] = []
    watch(config, stop=Clock(2), tell=told.append)
    assert [h.runs for h in told] == [1, 2]  # watch.labels is 5
    watch(config, labels=3, once=True, tell=told.append)
    assert told[-1].message == "7 labels, 2 of 3 since the last ranking"
