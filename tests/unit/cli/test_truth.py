"""What the commands say is true, and can be read by people and programs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from labelnext.cli import console, journals, lists
from labelnext.errors import LabelnextWarning, MissingExtra
from labelnext.runs.run import run
from labelnext_adapters.label_studio import LabelStudioAdapter
from labelnext_adapters.label_studio_commands import backend
from tests.unit.cli.test_commands import labelnext


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n")
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: p.csv}\n")
    return tmp_path


def test_status_says_whether_anything_has_changed(folder: Path) -> None:
    words = "Nothing has changed since the newest run"
    assert words not in labelnext("status", "c.yaml", folder=folder).stdout
    labelnext("run", "c.yaml", folder=folder)
    assert words in labelnext("status", "c.yaml", folder=folder).stdout
    assert json.loads(labelnext("status", "c.yaml", "--json", folder=folder).stdout)["unchanged"]
    (folder / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.6,0.4\n")
    second = labelnext("status", "c.yaml", folder=folder).stdout.splitlines()[1]
    assert second.startswith("Predictions or labels have changed since run ")


def test_status_keeps_each_sentence_on_a_line_in_a_pipe(folder: Path) -> None:
    labelnext("run", "c.yaml", folder=folder)
    lines = labelnext("status", "c.yaml", folder=folder).stdout.splitlines()
    (trend,) = [line for line in lines if line.startswith("overall uncertainty")]
    (ahead,) = [line for line in lines if line.startswith("forecast")]
    assert trend.endswith("low means uncertain; run again to see the trend.")
    assert ahead.endswith(".")


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ("x,,,\n", 1, "nothing was ranked: 1 item has no usable prediction."),
        ("x,,,\ny,,,\n", 1, "nothing was ranked: 2 items have no usable prediction."),
        ("z,0.9,0.1,a\n", 0, ""),  # all is labelled: nothing was to be ranked
        ("z,0.9,0.1,a\nx,,,\n", 1, "1 item has no usable"),
        ("x,0.9,0.1,\ny,,,\n", 0, ""),
    ],
)
def test_a_run_that_ranks_nothing_is_no_success(
    rows: str, code: int, words: str, tmp_path: Path
) -> None:
    known = "w,0.5,0.5,b\n"  # labelled, so that there are predictions to speak of
    (tmp_path / "p.csv").write_text(f"item_id,p_a,p_b,label\n{known}{rows}")
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: p.csv}\n")
    result = labelnext("run", "c.yaml", folder=tmp_path)
    assert result.returncode == code, result
    assert words in result.stderr
    assert (result.stderr == "") == (code == 0)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("datset: x\n", "did you mean source.dataset?"),
        ("projekt: 1\n", "did you mean source.project or send.project?"),
        ("budjet: 1\n", "did you mean selection.budget?"),
        ("sorce: {adapter: files}\n", "did you mean source?"),
        ("SOURCE: {adapter: files}\n", "did you mean source?"),
        ("source: {adapter: files}\npath: p.csv\n", "did you mean source.path?"),
    ],
)
def test_a_misspelled_key_gets_the_nearest_one(text: str, hint: str, folder: Path) -> None:
    (folder / "c.yaml").write_text(text)
    answer = labelnext("check", "c.yaml", folder=folder).stderr
    assert hint.partition(" or ")[0].rstrip("?") in answer


def test_the_boxes_that_made_the_score_come_most_doubtful_first(tmp_path: Path) -> None:
    boxes = [("car", 0.9), ("bus", 0.5), ("car", 0.3), ("car", 0.05)]
    objects = [{"confidence": c, "class": name} for name, c in boxes]
    (tmp_path / "o.jsonl").write_text(json.dumps({"item_id": "a", "objects": objects}) + "\n")
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: o.jsonl}\n")
    # Entropies of 0.5, 0.3 and 0.9: 0.69, 0.61 and 0.33; 0.05 is below auto's floor of 0.1.
    words = "3 objects: bus 0.50, car 0.30, car 0.90; 1 object below the floor"
    data = json.loads(labelnext("run", "c.yaml", "--json", folder=tmp_path).stdout)
    assert data["next_items"][0]["reason"] == words
    assert words in labelnext("explain", "c.yaml", "a", folder=tmp_path).stdout


LISTS = [("acquisitions",), ("selections",), ("formats",), ("adapters",), ("plugins",)]


@pytest.mark.parametrize("command", [*LISTS, ("runs", "c.yaml")])
def test_lists_have_json_and_one_record_a_line_in_a_pipe(
    command: Sequence[str], folder: Path
) -> None:
    labelnext("run", "c.yaml", folder=folder)
    records = json.loads(labelnext(*command, "--json", folder=folder).stdout)
    lines = labelnext(*command, folder=folder).stdout.splitlines()
    assert len(lines) == len(records)
    key = "run" if command[0] == "runs" else "name"
    assert all(record[key] in line.split("\t") for record, line in zip(records, lines, strict=True))


def test_a_narrow_terminal_breaks_no_path_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    terminal = Console(file=printed, force_terminal=True, width=40, color_system=None)
    monkeypatch.setattr(lists, "out", terminal)
    path = "/a/long/path/of/more/than/forty/characters/ranking.csv"
    lists.print_rows(("started", "target"), [("2026-01-01 10:00 UTC", path)])
    assert printed.getvalue().splitlines()[1] == f"2026-01-01 10:00 UTC  {path}"


def test_progress_bars_keep_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    terminal = Console(file=printed, force_terminal=True, width=80, color_system=None)
    monkeypatch.setattr(console, "err", terminal)
    with console.progress_bars() as progress:
        assert progress is not None
        progress(f"score: {'a long stage ' * 9}", 1_000_000, 123_456_789)
        progress("read", 1, 2)
    lines = [line for line in printed.getvalue().replace("\x1b", "\n").splitlines() if "/" in line]
    assert lines
    assert not any("left" in line for line in lines)  # nothing can be estimated yet
    assert max(len(line.partition("m")[2] if line[:1] == "[" else line) for line in lines) <= 80


def test_an_unknown_item_gets_the_nearest_one(folder: Path) -> None:
    (folder / "p.csv").write_text("item_id,p_a,p_b\nb.jpg,0.9,0.1\nz.jpg,0.5,0.5\n")
    answer = labelnext("explain", "c.yaml", "b.jpeg", folder=folder).stderr
    assert answer == "Error: no item is called 'b.jpeg'. Hint: did you mean b.jpg?\n"


def test_a_part_of_an_id_gets_the_shortest_id_that_has_it(folder: Path) -> None:
    (folder / "p.csv").write_text("item_id,p_a,p_b\ncat-1017.jpg,0.9,0.1\ncat-017.jpg,0.5,0.5\n")
    answer = labelnext("explain", "c.yaml", "017", folder=folder).stderr
    assert answer == "Error: no item is called '017'. Hint: did you mean cat-017.jpg?\n"


def test_what_was_done_is_told_as_done(folder: Path) -> None:
    assert "• Write 2 ranked items" in labelnext("run", "c.yaml", "--dry-run", folder=folder).stdout
    assert "• Wrote 2 ranked items" in labelnext("run", "c.yaml", folder=folder).stdout
    page = (folder / "labelnext-report.html").read_text()
    assert "<li>Wrote 2 ranked items" in page
    assert 'data-all="2 items"' in page


def test_the_page_says_how_much_of_the_batch_it_shows(folder: Path) -> None:
    rows = "".join(f"i{n},{n / 200},{1 - n / 200}\n" for n in range(100))
    (folder / "p.csv").write_text(f"item_id,p_a,p_b\n{rows}")
    labelnext("run", "c.yaml", folder=folder)
    page = (folder / "labelnext-report.html").read_text()
    assert 'data-all="50 items, the first of the batch of 100"' in page


def test_undone_runs_count_for_no_stopping_signal(folder: Path) -> None:
    for _ in range(2):
        labelnext("run", "c.yaml", folder=folder)
    signals = json.loads(labelnext("status", "c.yaml", "--json", folder=folder).stdout)["signals"]
    assert signals[0]["value"] == 1.0  # the same predictions twice
    labelnext("undo", "c.yaml", folder=folder)
    found = json.loads(labelnext("status", "c.yaml", "--json", folder=folder).stdout)
    assert len(found["runs"]) == 1
    assert found["signals"][0]["value"] is None


def test_the_trend_knows_which_end_is_uncertain(folder: Path) -> None:
    labelnext("run", "c.yaml", folder=folder)  # margins 0.8 and 0
    (folder / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.6,0.4\n")  # 0.8 and 0.2
    labelnext("run", "c.yaml", folder=folder)
    signals = json.loads(labelnext("status", "c.yaml", "--json", folder=folder).stdout)["signals"]
    assert signals[2]["says"] == (
        "mean margin of the remaining items, where low means uncertain; previous run: 0.4, "
        "so it is more certain."
    )


def test_ctrl_c_while_commands_are_loaded_is_one_line() -> None:
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from labelnext.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def test_formats_have_their_article(tmp_path: Path) -> None:
    message = {"custom_id": "a", "response": {"body": {"choices": [{"message": {"content": "x"}}]}}}
    (tmp_path / "p.jsonl").write_text(json.dumps(message) + "\n")
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: p.jsonl, format: llm}\n")
    assert "is an LLM file" in labelnext("check", "c.yaml", folder=tmp_path).stdout


def test_a_file_that_is_replaced_is_named(folder: Path) -> None:
    (folder / "ranking.csv").write_text("my notes\n")
    with warnings.catch_warnings():
        warnings.simplefilter("always", LabelnextWarning)  # as in a process of its own
        done = labelnext("run", "c.yaml", folder=folder)
    assert done.returncode == 0
    said = " ".join(done.stderr.split())
    assert said.startswith("Warning: ")
    assert said.endswith("wasn't written by labelnext. A run replaces it, and undo puts it back.")


def test_a_platforms_own_command_says_what_is_not_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "labelnext_adapters.label_studio.backend"
    monkeypatch.setitem(sys.modules, module, None)  # as if a package that it imports were missing
    monkeypatch.setattr(LabelStudioAdapter, "requires", ("no_such_sdk",))
    source = "{adapter: label-studio, url: http://127.0.0.1:9, api_key: abc, project: 1}"
    (folder / "ls.yaml").write_text(f"source: {source}\n")
    with pytest.raises(MissingExtra, match="needs the package no_such_sdk") as caught:
        backend.main([str(folder / "ls.yaml")])
    assert "label-studio]" in str(caught.value.hint)


def test_a_long_id_takes_a_few_lines_of_the_terminal(folder: Path) -> None:
    with (folder / "p.csv").open("a") as file:
        file.write("y" * 9000 + ",0.6,0.4\n")
    done = labelnext("run", "c.yaml", "--dry-run", folder=folder)
    assert "yyy…" in done.stdout
    assert done.stdout.count("\n") < 30


def test_objects_below_the_floor_are_said_to_be_left_out_of_the_mean(tmp_path: Path) -> None:
    boxes = [{"confidence": c, "class": "car"} for c in (0.9, 0.5, 0.05)]
    rows = [{"item_id": "a", "objects": boxes}, {"item_id": "b", "objects": boxes[:1]}]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: p.jsonl}\n")
    shown = labelnext("run", "c.yaml", folder=tmp_path).stdout
    means = "Objects per item: 1.50 in the pool, 1.50 in the batch"  # (2 + 1) / 2
    said = f"{means}, of those with a confidence of at least 0.1"
    assert f"{said}\n" in shown
    assert f"<p>{said}.</p>" in (tmp_path / "labelnext-report.html").read_text()


def test_undo_of_all_asks_only_where_there_is_a_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda text, **_: asked.append(text))
    monkeypatch.chdir(folder)
    journals._undo_all(Path("c.yaml"), True, False)
    assert (asked, capsys.readouterr().out) == ([], "No run to undo.\n")
    run("c.yaml")
    journals._undo_all(Path("c.yaml"), True, False)
    assert asked == ["Undo 1 run, which wrote to ranking.csv?"]
    assert not (folder / "ranking.csv").exists()


def test_a_wrong_run_gets_the_newest_ones(folder: Path) -> None:
    ids = [run(folder / "c.yaml").run_id for _ in range(2)]
    said = labelnext("undo", "c.yaml", "x", folder=folder).stderr
    assert f"run must be one of {ids[1]}, {ids[0]}; got 'x'." in said


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_that_can_rank_nothing_leaves_the_ranking_before(dry_run: bool, folder: Path) -> None:
    labelnext("run", "c.yaml", folder=folder)
    (ranking,) = [path for path in folder.glob("*.csv") if path.name != "p.csv"]
    before = ranking.read_bytes()
    runs = labelnext("runs", "c.yaml", folder=folder).stdout
    (folder / "p.csv").write_text("item_id,p_a,p_b,label\nx,,,\ny,,,\nz,0.5,0.5,a\n")
    result = labelnext("run", "c.yaml", *["--dry-run"][: int(dry_run)], folder=folder)
    assert result.returncode == 1
    assert "nothing was ranked: 2 items have no usable prediction." in result.stderr
    assert "an earlier ranking stays as it is" in result.stdout + result.stderr
    assert "To undo it" not in result.stdout
    assert ranking.read_bytes() == before
    assert labelnext("runs", "c.yaml", folder=folder).stdout == runs
