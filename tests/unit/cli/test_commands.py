"""The command line as a user meets it: its output, its errors and its exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
import yaml
from click.testing import CliRunner

from labelnext.adapter.registry import ADAPTERS
from labelnext.cli import app, main
from labelnext.cli.console import out as console
from labelnext.config import load_config
from labelnext.config.template import config_template, secret_variables

COMMANDS = [
    "run",
    "check",
    "explain",
    "replay",
    "status",
    "init",
    "runs",
    "undo",
    "resume",
    "send",
    "fetch",
    "watch",
    "app",
    "fiftyone",
    "acquisitions",
    "selections",
    "adapters",
    "formats",
    "plugins",
    "schema",
    "demo",
]


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


def labelnext(*arguments: str, folder: Path | None = None) -> Result:
    """The command in this process, as the installed script calls it."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    logger = logging.getLogger("labelnext")
    before = list(logger.handlers)
    with (
        mock.patch.object(sys, "argv", ["labelnext", *arguments]),
        contextlib.chdir(folder or Path()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        handler.close()
    console.quiet = False
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n")
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: p.csv}\n")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    result = labelnext(command, "--help")
    assert result.returncode == 0
    assert f"Example: labelnext {command}" in result.stdout


def test_help_lists_every_command() -> None:
    result = labelnext("--help")
    listed = re.findall(r"(?m)^  ([a-z]+)  ", result.stdout.partition("Commands:")[2])
    assert listed[:5] == ["init", "check", "run", "explain", "undo"]  # as one needs them
    assert len({*listed}) == len(listed)
    assert all(f" {command} " in result.stdout for command in COMMANDS)
    assert "│" not in result.stdout  # boxes are for a terminal
    assert "..." not in result.stdout.replace("[ARGS]...", "")  # no sentence is cut off
    assert labelnext("-h").stdout == result.stdout
    assert labelnext("run", "-h").stdout == labelnext("run", "--help").stdout


def test_a_missing_configuration_gets_the_one_that_is_there(folder: Path) -> None:
    told = labelnext("check", folder=folder)
    assert told.returncode == 2
    assert told.stderr.endswith(
        "Error: Missing argument 'CONFIG'. A command writes one; to see how, write "
        "labelnext init --help.\n"
    )
    (folder / "labelnext.yaml").touch()
    assert labelnext("undo", folder=folder).stderr.endswith(
        "Error: Missing argument 'CONFIG'. Write labelnext undo labelnext.yaml.\n"
    )


@pytest.mark.parametrize(
    ("line", "completed"), [("ex", ["explain", "export"]), ("run --d", ["--dry-run"])]
)
def test_tab_completes_commands_and_options(line: str, completed: list[str]) -> None:
    words = {"COMP_WORDS": f"labelnext {line}", "COMP_CWORD": str(len(line.split()))}
    asked = {"_LABELNEXT_COMPLETE": "bash_complete", **words}
    answer = CliRunner().invoke(app, env=asked, prog_name="labelnext")
    assert answer.output.split() == [f"plain,{word}" for word in completed]


def test_run_prints_the_next_items_and_how_to_take_it_back(folder: Path) -> None:
    result = labelnext("run", "c.yaml", folder=folder)
    assert result.returncode == 0, result.stderr
    assert "a 0.50, b 0.50" in result.stdout
    assert "labelnext undo c.yaml" in result.stdout
    assert result.stderr == ""  # no progress bars where nobody looks


def test_run_as_json_is_json_alone(folder: Path) -> None:
    result = labelnext("run", "c.yaml", "--json", "--budget", "1", folder=folder)
    data = json.loads(result.stdout)
    assert [row["item_id"] for row in data["batch"]] == ["y"]


def test_output_option_is_relative_to_the_current_folder(folder: Path) -> None:
    (folder / "sub").mkdir()
    labelnext("run", "../c.yaml", "--output", "here.jsonl", folder=folder / "sub")
    assert (folder / "sub" / "here.jsonl").exists()


def test_quiet_run_prints_nothing_and_logs(folder: Path) -> None:
    result = labelnext("run", "c.yaml", "-q", "--log-file", "n.log", folder=folder)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    lines = (folder / "n.log").read_text().splitlines()
    one = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}[+-]\d\d:\d\d INFO \[\d+\] \S.*")
    assert all(map(one.fullmatch, lines))
    assert "2 ranked, 2 in the batch; " in lines[-1]
    assert labelnext("run", "c.yaml", "-q", "--log-file", "n.log", folder=folder).returncode == 0


def test_verbose_run_says_what_takes_how_long(folder: Path) -> None:
    assert "read took" in labelnext("run", "c.yaml", "-v", folder=folder).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("run", "none.yaml"),
            "config file 'none.yaml' doesn't exist. Hint: did you mean 'c.yaml'?",
        ),
        (("run", "c.yaml", "--budget", "0"), "budget must be a whole number of at least 1; got 0"),
        (("run", "c.yaml", "--output", "r.doc"), "output must end in one of"),
        (("undo", "c.yaml"), "this configuration has no run to undo"),
        (("resume", "c.yaml"), "this configuration has no run to resume"),
        (("init", "excel"), "adapter must be one of"),
    ],
)
def test_error_is_one_line_and_exit_code_one(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = labelnext(*arguments, folder=folder)
    assert result.returncode == 1
    assert words in result.stderr
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("run",), ("nonsense",), ("run", "c.yaml", "--budget", "x")])
def test_wrong_usage_is_exit_code_two(folder: Path, arguments: tuple[str, ...]) -> None:
    assert labelnext(*arguments, folder=folder).returncode == 2


def test_runs_names_what_is_no_journal_and_other_commands_pass_it_over(folder: Path) -> None:
    (folder / ".labelnext").mkdir()
    (folder / ".labelnext" / "ranking.jsonl").write_text('{"item_id": "a"}\n')
    assert labelnext("run", "c.yaml", folder=folder).returncode == 0
    result = labelnext("runs", "c.yaml", folder=folder)
    assert "ranking.jsonl" not in result.stdout
    assert "warning skipped: " in result.stderr
    result = labelnext("runs", "c.yaml", "--json", folder=folder)
    assert [run["status"] for run in json.loads(result.stdout)] == ["done"]
    assert "ranking.jsonl' isn't a journal: it doesn't start with a plan." in result.stderr
    result = labelnext("undo", "c.yaml", "ranking", folder=folder)
    assert (result.returncode, result.stdout) == (1, "")
    assert "isn't a journal: it doesn't start with a plan" in result.stderr
    assert labelnext("undo", "c.yaml", folder=folder).returncode == 0


def test_undo_prints_json(folder: Path) -> None:
    for _ in range(3):
        labelnext("run", "c.yaml", folder=folder)
    names = [
        row["run"]
        for row in json.loads(labelnext("runs", "c.yaml", "--json", folder=folder).stdout)
    ]
    one = json.loads(labelnext("undo", "c.yaml", "--json", folder=folder).stdout)
    assert one == {"run": names[2], "status": "undone", "kept": []}
    rest = json.loads(labelnext("undo", "c.yaml", "--all", "--json", folder=folder).stdout)
    assert [row["run"] for row in rest] == [names[1], names[0]]
    assert json.loads(labelnext("undo", "c.yaml", "--all", "--json", folder=folder).stdout) == []


def test_check_undo_and_runs_print_what_they_found(folder: Path) -> None:
    assert "No runs yet." in labelnext("runs", "c.yaml", folder=folder).stdout
    labelnext("run", "c.yaml", folder=folder)
    assert "done" in labelnext("runs", "c.yaml", folder=folder).stdout
    assert "Undid run 2" in labelnext("undo", "c.yaml", folder=folder).stdout
    checked = labelnext("check", "c.yaml", folder=folder)
    assert checked.returncode == 0
    assert "2 can be ranked" in checked.stdout
    data = json.loads(labelnext("check", "c.yaml", "--json", folder=folder).stdout)
    assert data["ok"] is True


def test_status_prints_the_runs_and_the_signals(folder: Path) -> None:
    labelnext("run", "c.yaml", folder=folder)
    result = labelnext("status", "c.yaml", folder=folder)
    assert result.returncode == 0, result.stderr
    assert "0 of 2 items labelled (0%)." in result.stdout
    assert "overall uncertainty 0.4" in result.stdout  # margins .8 and 0
    data = json.loads(labelnext("status", "c.yaml", "--json", folder=folder).stdout)
    assert (data["n_items"], data["n_labelled"]) == (2, 0)
    assert [(run["n_ranked"], run["median_score"]) for run in data["runs"]] == [(2, 0.4)]
    assert data["signals"][2]["name"] == "overall uncertainty"
    assert "needs embeddings" in data["forecast"]


def test_check_of_a_missing_file_fails(folder: Path) -> None:
    (folder / "p.csv").unlink()
    result = labelnext("check", "c.yaml", folder=folder)
    assert result.returncode == 1
    assert "does not exist" in result.stdout


@pytest.mark.parametrize("name", ADAPTERS.own_names())
def test_init_writes_a_config_that_loads_once_it_is_filled_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "abcdef")
    data = yaml.safe_load(config_template(name))
    filled = {"path": "p.csv", "dataset": "d", "url": "http://127.0.0.1", "project": 1}
    filled["api_key"] = "abcdef"
    for key, value in data["source"].items():
        if value is None and key in filled:
            data["source"][key] = filled[key]
    loaded = load_config(data).to_dict()
    for section in ("acquisition", "selection", "report"):
        assert data[section].items() <= loaded[section].items()


@pytest.mark.parametrize(
    ("platform", "todo"),
    [
        (
            "label-studio",
            "Fill in url, project and set LABEL_STUDIO_API_KEY in the environment, then run: ",
        ),
        ("fiftyone", "Fill in dataset, then run: "),
        ("files", "Fill in path, then run: "),
    ],
)
def test_init_says_what_is_left_to_do(platform: str, todo: str, tmp_path: Path) -> None:
    result = labelnext("init", platform, "--output", "my file.yaml", folder=tmp_path)
    wrote = f"Wrote my file.yaml. {todo}labelnext check 'my file.yaml'\n"
    assert (result.stdout, result.stderr) == (wrote, "")
    text = (tmp_path / "my file.yaml").read_text("utf-8")
    assert text.startswith("# labelnext run 'my file.yaml'\n")
    assert "send" not in yaml.safe_load(text)  # another platform's keys


def test_secrets_of_a_template_have_the_names_that_the_pages_use() -> None:
    page = Path(__file__).parents[3] / "docs" / "label-studio.md"
    (variable,) = secret_variables(config_template("label-studio"))
    assert f"export {variable}=" in page.read_text("utf-8")
    assert f"api_key: ${{{variable}}}" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", "item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n"),
        ("p.csv", "file,cat,dog\nx,0.9,0.1\ny,0.5,0.5\n"),
        ("p.jsonl", '{"item_id": "x", "probabilities": {"a": 0.9, "b": 0.1}}\n'),
        ("p.json", '[{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.2}]'),
    ],
)
def test_init_of_a_file_writes_what_runs(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    done = labelnext("init", "files", name, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Wrote labelnext.yaml. Run: labelnext check labelnext.yaml\n")
    assert f"'{name}' " in done.stdout
    assert labelnext("check", "labelnext.yaml", folder=tmp_path).returncode == 0
    assert labelnext("run", "labelnext.yaml", folder=tmp_path).returncode == 0


def test_init_does_not_write_over_a_file(folder: Path) -> None:
    result = labelnext("init", "--output", "c.yaml", folder=folder)
    assert result.returncode == 1
    assert result.stderr == "Error: c.yaml already exists. Hint: add --force to overwrite it.\n"
    assert labelnext("init", "--output", "c.yaml", "--force", folder=folder).returncode == 0


def test_tables_are_printed_by_name() -> None:
    assert "mean_object_confidence" in labelnext("acquisitions").stdout
    assert "image_diversity" in labelnext("selections").stdout
    assert "label-studio" in labelnext("adapters").stdout
    assert json.loads(labelnext("schema").stdout)["title"] == "labelnext configuration"


def test_version_is_printed() -> None:
    from labelnext import __version__

    assert labelnext("--version").stdout.strip() == __version__


def test_module_runs_as_a_process(folder: Path) -> None:
    command = [sys.executable, "-m", "labelnext.cli", "run", "none.yaml"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: config file 'none.yaml' doesn't exist")
