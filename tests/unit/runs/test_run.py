"""run, check, undo and resume, on plain files."""

from __future__ import annotations

import html
import json
import re
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.cli.console import print_report
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.runs.check import check
from labelnext.runs.run import explain
from labelnext.runs.status import status
from labelnext.runs.undo import resume, runs, undo
from labelnext_adapters.files import FilesAdapter

ROWS = [
    {"item_id": "a", "probabilities": {"cat": 0.9, "dog": 0.1}},
    {"item_id": "b", "probabilities": {"cat": 0.5, "dog": 0.5}},
    {"item_id": "c", "probabilities": {"cat": 0.4, "dog": 0.6}},
    {"item_id": "d", "probabilities": None},
    {"item_id": "e", "probabilities": {"cat": 0.2, "dog": 0.8}, "label": "dog"},
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    path = tmp_path / "labelnext.yaml"
    path.write_text("source: {adapter: files, path: pool.jsonl}\nselection: {budget: 2}\n")
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_run_ranks_and_writes_beside_the_config(config: Path) -> None:
    report = labelnext.run(config)
    assert report.ranking.item_ids.tolist() == ["b", "c"]
    assert report.counts == {
        "items": 5,
        "predicted": 4,
        "missing": 1,
        "labelled": 1,
        "unscored": 1,
        "ranked": 3,
        "batch": 2,
    }
    assert report.ids == {"missing": ["d"], "unscored": ["d"]}
    assert report.classes == [
        {"class": "cat", "pool": 2, "batch": 1},
        {"class": "dog", "pool": 1, "batch": 1},
    ]
    assert [row["reason"] for row in report.next_items] == [
        "cat 0.50, dog 0.50",
        "dog 0.60, cat 0.40",
    ]
    assert names(config.parent) == {
        "pool.jsonl",
        "labelnext.yaml",
        "ranking.csv",
        "labelnext-report.html",
        ".labelnext",
    }


def test_dry_run_writes_nothing_at_all(config: Path) -> None:
    before = names(config.parent)
    report = labelnext.run(config, dry_run=True)
    assert names(config.parent) == before
    assert report.dry_run
    assert report.path is None
    assert report.steps == [f"Write 3 ranked items to {config.parent / 'ranking.csv'}"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_first_run_has_a_folder_while_it_reads(
    config: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    seen = []

    def refuse(*_: object) -> None:
        seen.append((config.parent / ".labelnext").is_dir())
        raise ConfigError("no.")

    monkeypatch.setattr("labelnext.runs.run.job_of", refuse)
    with pytest.raises(ConfigError):
        labelnext.run(config, dry_run=dry_run)
    assert seen == [not dry_run]
    assert not (config.parent / ".labelnext").exists(), "nothing was read into it"


def test_run_takes_an_open_adapter_and_a_mapping(config: Path) -> None:
    adapter = open_adapter("files", directory=config.parent, path="pool.jsonl")
    report = labelnext.run(
        {"source": {"adapter": "files", "path": "unused"}}, adapter=adapter, dry_run=True
    )
    assert report.counts["items"] == 5


def test_progress_is_reported(config: Path) -> None:
    seen = []
    labelnext.run(config, progress=lambda stage, done, total: seen.append(stage.split(":")[0]))
    assert {"read", "rank", "write"} <= set(seen)


def test_report_is_json_and_text_and_html(config: Path) -> None:
    report = labelnext.run(config)
    data = json.loads(report.to_json())
    assert data["batch"][0] == {"item_id": "b", "rank": 1, "priority": 1.0, "score": 0.0}
    assert data["config"]["selection"]["budget"] == 2
    assert data["versions"]["labelnext"] == labelnext.__version__
    assert len(data["input_hash"]) == 64
    assert "5 items" in str(report)


class _Page(HTMLParser):
    """What a page would fetch, and whether its tags are balanced."""

    void = frozenset({"meta", "br", "link", "img", "input", "path", "use"})

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            outside = name in ("src", "href", "xlink:href") and not (value or "").startswith("#")
            if outside or tag in ("link", "iframe", "img"):
                self.fetched.append(f"{tag} {name}={value}")
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag


def test_page_fetches_nothing_and_holds_both_plots(config: Path) -> None:
    text = labelnext.run(config).to_html()
    page = _Page()
    page.feed(text)
    assert page.fetched == []
    assert page.open == []
    assert text.count("<svg") == 2
    assert "cat 0.50, dog 0.50" in text


def test_the_policy_of_a_page_allows_its_own_sheet_and_script_alone(config: Path) -> None:
    text = labelnext.run(config).to_html()
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', text)
    assert policy is not None
    directives = html.unescape(policy[1]).split("; ")
    assert directives[0] == "default-src 'none'"
    assert "unsafe" not in policy[1]
    assert directives[1] == "img-src data:"
    for directive, tag in ((directives[2], "style"), (directives[3], "script")):
        (held,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(sha256(held.encode()).digest()).decode()
        assert directive == f"{tag}-src 'sha256-{digest}'"
    assert " style=" not in text


def test_hostile_names_are_escaped_in_the_page(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>$\\frac{1}{0}$"
    rows = [{"item_id": hostile, "probabilities": {hostile: 0.5, "b": 0.5}}]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = tmp_path / "labelnext.yaml"
    settings.write_text("source: {adapter: files, path: pool.jsonl}\n")
    page = labelnext.run(settings).to_html()
    assert "<script>alert" not in page
    assert page.count("<script") == 1  # the page's own


def test_empty_batch_makes_a_report(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text('{"item_id": "a", "probabilities": [1, 0], "label": 0}\n')
    settings = tmp_path / "labelnext.yaml"
    settings.write_text("source: {adapter: files, path: pool.jsonl}\n")
    report = labelnext.run(settings)
    assert report.counts["batch"] == 0
    assert "every item is labelled" in report.to_html()


def test_empty_batch_tells_labelled_items_from_those_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ('{"item_id": "a", "label": 0', '{"item_id": "b"')
    pool = "".join(f'{row}, "probabilities": [1, 0]}}\n' for row in rows)
    (tmp_path / "pool.jsonl").write_text(pool)
    settings = tmp_path / "labelnext.yaml"
    source = "source: {adapter: files, path: pool.jsonl}\n"
    settings.write_text(f"{source}selection: {{options: {{exclude: [b]}}}}\n")
    report = labelnext.run(settings)
    print_report(replace(report, steps=()))
    said = capsys.readouterr().out
    assert "Nothing to label next: every item is labelled or left out." in said
    assert "Done:" not in said


def test_same_input_gives_the_same_hash_for_any_order(config: Path) -> None:
    first = labelnext.run(config, dry_run=True)
    (config.parent / "pool.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS[::-1]))
    second = labelnext.run(config, dry_run=True)
    assert first.input_hash == second.input_hash
    assert first.ranking.item_ids.tolist() == second.ranking.item_ids.tolist()


def test_undo_and_runs_follow_the_journal(config: Path) -> None:
    labelnext.run(config)
    first = (config.parent / "ranking.csv").read_bytes()
    config.write_text(config.read_text() + "acquisition: {name: entropy}\n")
    labelnext.run(config)
    assert [journal.status for journal in runs(config)] == ["done", "done"]
    with pytest.raises(ConfigError, match="can't be undone: the later run .* builds on it"):
        undo(config, runs(config)[0].run_id)
    undo(config)
    assert (config.parent / "ranking.csv").read_bytes() == first
    undo(config)
    assert not (config.parent / "ranking.csv").exists()
    assert [journal.status for journal in runs(config)] == ["undone", "undone"]


def test_broken_run_is_resumed_and_mentioned(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["labelnext.journal.carry_out"]

    def failing(*_: object) -> None:
        raise ConfigError("the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "perform_step", failing)
        with pytest.raises(labelnext.LabelnextError, match="stopped at step 1 of 1"):
            labelnext.run(config)
    assert [journal.status for journal in runs(config)] == ["broken"]
    resume(config)
    assert [journal.status for journal in runs(config)] == ["done"]
    assert (config.parent / "ranking.csv").exists()


def test_output_is_written_beside_another_platforms_write_back(config: Path) -> None:
    text = config.read_text() + "write: {output: out/ranking.parquet}\n"
    config.write_text(text)
    report = labelnext.run(config)
    assert report.output == config.parent / "out/ranking.parquet"
    assert report.output.exists()


def test_report_that_cannot_be_written_stops_the_run_before_the_write(config: Path) -> None:
    config.write_text(config.read_text() + "report: {path: pool.jsonl/report.html}\n")
    with pytest.raises(
        ConfigError, match="report.html' can't be written: .*pool.jsonl' isn't a writable folder"
    ):
        labelnext.run(config)
    assert not (config.parent / "ranking.csv").exists()


def test_side_file_gives_the_predictions(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,name\n1,x\n2,y\n")
    (tmp_path / "side.csv").write_text("task,p_a,p_b\n2,0.5,0.5\n1,0.9,0.1\n")
    settings = tmp_path / "labelnext.yaml"
    settings.write_text(
        "source: {adapter: files, path: items.csv, predictions: {file: side.csv, key: task}}\n"
    )
    assert labelnext.run(settings).ranking.item_ids.tolist() == ["2", "1"]


def test_objects_options_of_the_config_reach_the_function(tmp_path: Path) -> None:
    rows = [
        {"item_id": "a", "objects": [{"confidence": 0.9}, {"confidence": 0.5}]},
        {"item_id": "b", "objects": [{"confidence": 0.6}, {"confidence": 0.6}]},
        {"item_id": "c", "objects": []},
    ]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = tmp_path / "labelnext.yaml"
    text = "source: {adapter: files, path: p.jsonl}\nacquisition: {name: entropy, of: objects, "
    settings.write_text(text + "reduce: max, no_objects: last}\n")
    assert labelnext.run(settings).ranking.item_ids.tolist() == ["a", "b", "c"]
    settings.write_text(text + "reduce: mean, no_objects: first}\n")
    report = labelnext.run(settings)
    assert report.ranking.item_ids.tolist() == ["c", "b", "a"]
    assert report.counts["without objects"] == 1
    assert report.objects_per_item == {"pool": pytest.approx(4 / 3), "batch": pytest.approx(4 / 3)}
    assert report.next_items[2]["reason"] == "2 objects: object 0.50, object 0.90"


def test_check_says_which_functions_the_data_allows(config: Path) -> None:
    result = check(config)
    assert result.ok
    assert result.obstacles["margin"] is None
    assert "needs detected objects" in result.obstacles["mean_object_confidence"]
    assert "3 can be ranked" in result.findings[-1].message


def test_check_reports_what_stands_in_the_way(config: Path) -> None:
    config.write_text(config.read_text() + "acquisition: {name: mean_object_confidence}\n")
    result = check(config)
    assert not result.ok
    assert "needs detected objects" in result.findings[-1].message
    hint = result.findings[-1].hint or ""
    assert hint.startswith("these work on this pool: ")
    assert {"least_confidence,", "margin,"} <= set(hint.split())


def test_check_of_broken_data_is_an_error_and_no_crash(config: Path) -> None:
    (config.parent / "pool.jsonl").write_text('{"item_id": "a", "proba')
    result = check(config)
    assert not result.ok
    assert result.pool is None


def test_option_given_twice_is_refused(config: Path) -> None:
    both = "acquisition: {name: entropy, options: {base: 2}}\nselection: {options: {base: 3}}\n"
    config.write_text(config.read_text().split("selection")[0] + both)
    with pytest.raises(ConfigError, match="in selection.options, not both"):
        labelnext.run(config)


def test_function_that_the_data_does_not_allow_lists_those_it_does(config: Path) -> None:
    config.write_text(config.read_text() + "acquisition: {name: entropy, of: objects}\n")
    with pytest.raises(InvalidInput, match="needs detected objects") as caught:
        labelnext.run(config)
    assert "margin" in caught.value.hint


def test_status_counts_labels_and_compares_the_runs(config: Path) -> None:
    labelnext.run(config)
    text = (config.parent / "pool.jsonl").read_text()
    # the model was trained anew: b is now a dog, and c was labelled
    text = text.replace(
        '"b", "probabilities": {"cat": 0.5, "dog": 0.5}}',
        '"b", "probabilities": {"cat": 0.3, "dog": 0.7}}',
    )
    (config.parent / "pool.jsonl").write_text(text.replace("0.6}}", '0.6}, "label": "dog"}'))
    labelnext.run(config)
    found = status(config)
    assert (found.n_items, found.n_labelled) == (5, 2)
    assert [len(run.scores) for run in found.runs] == [3, 2]
    changed = {signal.name: signal.value for signal in found.signals}
    assert changed["classification change"] == pytest.approx(1 / 4)
    assert changed["overall uncertainty"] == pytest.approx((0.8 + 0.4) / 2)


def test_explain_says_that_the_newest_run_read_something_else(config: Path) -> None:
    assert not explain(config, "a").changes[1:]
    run_id = labelnext.run(config).run_id
    before = explain(config, "a").changes
    (config.parent / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[:4]))
    (changed,) = set(explain(config, "a").changes) - set(before)
    assert changed.startswith(f"predictions or labels have changed since run {run_id}")
    undo(config)
    assert explain(config, "a").changes == before


def test_boxes_that_a_run_left_out_are_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = {"confidence": 0.5, "class": "car", "box": [0.1, 0.2, 0.5, 0.4]}
    (tmp_path / "pool.jsonl").write_text(json.dumps({"item_id": "a", "objects": [box]}) + "\n")

    def bare(adapter: FilesAdapter) -> Pool:
        pool = adapter.read()
        assert isinstance(pool.objects, Objects)
        return replace(pool, objects=replace(pool.objects, boxes=None))

    monkeypatch.setattr(FilesAdapter, "read_without_boxes", bare, raising=False)
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: pool.jsonl}\nreport: {path: null}\n")
    labelnext.run(config)
    assert not [said for said in explain(config, "a").changes if "have changed" in said]


def test_status_says_that_labelled_items_want_further_labels(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object) -> Pool:
        rows = [[0.9, 0.1], [0.5, 0.5], [0.4, 0.6]]
        done, wanted = [True, True, False], [False, True, True]
        return Pool("abc", probabilities=rows, labelled=done, open=wanted)

    monkeypatch.setattr(FilesAdapter, "read", read)
    found = status(config)
    assert found.to_dict()["n_wanting"] == 1
    assert found.sentence() == (
        "2 of 3 items labelled (67%), 1 of them by fewer people than the project wants."
    )
