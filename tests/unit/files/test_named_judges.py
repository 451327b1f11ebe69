"""Columns of judges that are called by language models are read as numbered ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.files.reading import lines, notice, order, read

SAID = {"a": ("yes", "yes"), "b": ("yes", "no"), "c": ("no", "no")}
RATED = {"a": (5, 5), "b": (5, 1), "c": (2, 3)}
NAMES = [
    ("judge_gpt", "judge_claude"),
    ("judge_gpt-4o", "judge_claude-3-opus"),
    ("judge: Gemini 1.5", "judge: Llama3"),
    ("rater.qwen", "rater.o3"),
    ("judge_gpt", "judge_1"),
    ("gpt_judge", "claude-3.5 judge"),
    ("gpt-4o_grader", "rater_2"),
]


@pytest.mark.parametrize("names", NAMES)
def test_the_items_on_which_they_disagree_come_first(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    rows = [",".join(map(str, (item, *said, "it says so"))) for item, said in SAID.items()]
    head = ",".join(("item_id", *names, f"{names[0]}_reason"))
    pool = read(tmp_path, "p.csv", "\n".join([head, *rows]))
    assert order(pool)[0] == "b"
    assert pool.classes == ("no", "yes")
    rated = [{"id": item, **dict(zip(names, two, strict=True))} for item, two in RATED.items()]
    assert order(read(tmp_path, "p.jsonl", lines(rated))) == ["b", "c", "a"]


@pytest.mark.parametrize(
    "names",
    [
        ("judge_relevance", "judge_tone"),
        ("judge_metal", "judge_art"),
        ("tone_judge", "first_judge"),
    ],
)
def test_what_one_judge_went_by_is_no_judge(tmp_path: Path, names: tuple[str, str]) -> None:
    rows = [",".join((item, *said)) for item, said in SAID.items()]
    pool = read(tmp_path, "p.csv", "\n".join([",".join(("item_id", *names)), *rows]))
    assert "call them judge_1, judge_2" in notice(pool, "no_predictions").message
