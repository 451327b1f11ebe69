"""The examples of the README and of the documentation run as they are printed."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import labelnext
from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.adapter import Options
from labelnext.adapter.formats import FORMATS, Format
from labelnext.config import load_config
from tests.unit.cli.test_commands import labelnext as run_command

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
AGAIN = "run `make tables`, then look at what it wrote"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def all_blocks(language: str) -> list[Any]:
    return [
        pytest.param(block, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(language, page.read_text("utf-8")))
    ]


@pytest.mark.parametrize("code", all_blocks("python"))
def test_python_example_prints_what_its_comments_say(code: str) -> None:
    if code.startswith("--8<--"):
        return  # a part of a script that the integration tests run
    if any(platform in code for platform in ("fiftyone", "label-studio", "label_studio")):
        compile(code, "example", "exec")  # run where there is a server, in the integration tests
        return
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "example", "exec"), {})
    said = re.findall(r"print\(.*\)  # (.*)", code)
    assert said
    assert out.getvalue().splitlines() == said


#: The source of an example that shows another part of a configuration, by its page.
SOURCES = {
    "label-studio": {"adapter": "label-studio", "url": "http://h", "api_key": "k", "project": 1},
    "fiftyone": {"adapter": "fiftyone", "dataset": "d"},
}


@pytest.mark.parametrize("text", all_blocks("yaml"))
def test_yaml_example_is_a_valid_config(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "abcdef")
    data = yaml.safe_load(text)
    page = request.node.callspec.id.rpartition("-")[0]
    data.setdefault("source", SOURCES.get(page, {"adapter": "files", "path": "predictions.csv"}))
    path = tmp_path / "labelnext.yaml"
    path.write_text(yaml.safe_dump(data))
    assert load_config(path).source.adapter == data["source"]["adapter"]


def test_files_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = (block for block in blocks("yaml") if "adapter: files" in block)
    (lines,) = blocks("json")
    (tmp_path / "predictions.jsonl").write_text(lines)
    (tmp_path / "labelnext.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    report = labelnext.run("labelnext.yaml")
    assert report.ranking.item_ids.tolist() == ["b.jpg", "a.jpg"]
    assert (tmp_path / "ranking.csv").exists()
    assert len(lines.splitlines()) == report.counts["items"]
    assert all(json.loads(line) for line in lines.splitlines())


def test_every_acquisition_function_is_in_the_table_with_its_direction() -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (high|low) \|", README))
    names = ACQUISITIONS.own_names()
    assert rows == {n: get_acquisition(n).direction for n in names}, AGAIN


def script(name: str) -> ModuleType:
    """A module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written() -> ModuleType:
    """The script that writes what is read without the site."""
    return script("written")


def test_the_table_of_keys_shows_each_default_as_it_is_written_in_yaml() -> None:
    shown = re.findall(r"(?m)^\| `(\w+)` \| .* \| `([^`]*)` \|", script("tables").configuration())
    for key, default in {
        "seed": "0",
        "budget": "100",
        "timeout": "60",
        "test_size": "0.4",
        "unlabelled": "false",
        "metadata": "[]",
        "model_options": "{max_iter: 1000}",
        "strategies": "[least_confidence, margin, entropy, variance, image_diversity]",
        "calibrate": "off",
        "minutes": "null",
    }.items():
        assert {value for name, value in shown if name == key} == {default}


NOTEBOOKS = [f"docs/tutorials/notebooks/{n}.ipynb" for n in ("mnist", "diversity", "detection")]


def test_the_page_of_commands_shows_arguments_options_and_their_defaults() -> None:
    rows = script("tables").commands().splitlines()
    assert "| `platform` | `files` | The adapter, as listed by `labelnext adapters`. |" in rows
    assert "| `--poll` | `10.0` | Seconds between checks. |" in rows
    assert "| `--once` |  | Check once, rank if needed, and exit. |" in rows
    assert "| `OUT` | required | The file: .parquet, .csv or .jsonl. |" in rows
    removal = "Remove the plugin from FiftyOne's plugin folder."
    assert f"| `fiftyone uninstall` |  | {removal} |" in rows


@pytest.mark.parametrize(
    "name", ["README.md", "docs/architecture.md", "config.example.yaml", *NOTEBOOKS]
)
def test_what_is_read_without_the_site_follows_the_tables(name: str, written: ModuleType) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert written.FILLS[name](text) == text, AGAIN


def test_a_new_row_is_written_with_what_it_says(
    written: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lines(Options):
        between: str = "; "
        """What separates the numbers
        on a line. It may be text."""

    twin = get_acquisition("variance")
    rows = {**ACQUISITIONS._built_in, "twin": replace(twin, name="twin", range="[0, 1]")}
    monkeypatch.setattr(ACQUISITIONS, "_built_in", rows)
    lines = Format("lines", "numbers", (".lines",), Lines, len)  # type: ignore[arg-type]
    monkeypatch.setattr(FORMATS, "_built_in", {"lines": lines})
    row = "| `twin` | low | [0, 1] | class probabilities of items, or of each object |"
    assert row in written.readme(README).splitlines()
    text = written.example((ROOT / "config.example.yaml").read_text("utf-8"))
    said = "  # between: '; '              # for lines: what separates the numbers on a line"
    assert [line for line in text.splitlines() if "between:" in line] == [said]
    assert yaml.safe_load(text)["acquisition"]["name"] == "auto"


def test_the_tree_is_written_as_it_is_on_disk_and_its_words_stay(written: ModuleType) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert "\n    carry_out columns file journal lock plan state\n" in text
    old = text.replace("carry_out columns file journal lock plan state\n", "carry_out gone\n")
    assert old != text
    assert written.architecture(old) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pictures_and_pages_that_are_linked_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    gone = [link for link in links if "//" not in link and not (page.parent / link).exists()]
    assert gone == []


def anchors(page: Path) -> set[str]:
    """The ids of a page's headings, as the site makes them."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    plain = [re.sub(r"[^\w\s-]", "", line) for line in re.findall(r"(?m)^#+ (.*)$", text)]
    return {re.sub(r"[-\s]+", "-", line.strip().lower()) for line in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sections_that_are_linked_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = [pair for pair in re.findall(r"\]\(([^)#]*)#([^)]+)\)", text) if "//" not in pair[0]]
    assert [
        (to, at) for to, at in links if at not in anchors((page.parent / to) if to else page)
    ] == []


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.stem)
def test_what_belongs_to_a_step_is_indented_as_the_site_needs_it(page: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text("utf-8"))
    assert (
        re.findall(r"\n\n {1,3}\S.*", text) == []
    )  # the list would end there, and begin again at 1


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES[1:]]
    assert [page for page in pages if f": {page}\n" not in navigation] == []


@pytest.mark.parametrize("page", ["README.md", "docs/files.md"])
def test_what_is_shown_below_a_command_is_what_it_prints(page: str, tmp_path: Path) -> None:
    """On a page with a file of items; `…` stands for lines that are left out."""
    text = (ROOT / page).read_text("utf-8")
    (items,) = blocks("json", text)
    (tmp_path / "predictions.jsonl").write_text(items)
    if page == "README.md":
        (config,) = (b for b in blocks("yaml", text) if "path: predictions.jsonl" in b)
        (tmp_path / "labelnext.yaml").write_text(config)
    steps = re.findall(
        r"```bash\nlabelnext ([^\n]*)\n```\n+(?:```text\n(.*?)```)?", text, re.DOTALL
    )
    shown = [(command, lines) for command, lines in steps if "labelnext.yaml" in command or lines]
    assert [command.split()[0] for command, _ in shown][-6:] == (
        ["run"] if page == "README.md" else ["init", "check", "run", "explain", "status", "undo"]
    )
    for command, lines in shown:
        done = run_command(*shlex.split(command), folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done
        printed = " ".join(done.stdout.replace(f"{tmp_path}/", "").split())
        for line in filter(None, map(str.strip, lines.splitlines())):
            assert line == "…" or " ".join(line.split()) in printed, (command, line)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_from_top_to_bottom(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads((ROOT / name).read_text("utf-8"))["cells"]
    out, space = io.StringIO(), dict[str, Any]()
    with contextlib.redirect_stdout(out):
        for cell in cells:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), name, "exec"), space)
    assert len(out.getvalue().splitlines()) >= 3
    if name.endswith("mnist.ipynb"):
        batch, rest = (int(n) for n in re.findall(r"wrong in the \w+: (\d+)%", out.getvalue()))
        assert batch > 3 * rest
    if name.endswith("diversity.ipynb"):
        assert "9 different digits among the first 10 of Image Diversity" in out.getvalue()
