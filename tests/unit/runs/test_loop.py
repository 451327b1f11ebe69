"""How a loop stands: the last ranking, and when the next is due."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext.config.config import Config, load_config
from labelnext.runs.callbacks import folder_of
from labelnext.runs.loop import Loop, Seen, load_seen, loop_of, save_seen


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\n")
    source = {"adapter": "files", "path": str(tmp_path / "p.csv")}
    state = str(tmp_path / "state")
    return load_config({"source": source, "watch": {"labels": 30}, "state": state})


def test_a_loop_that_never_ranked_is_none(settings: Config) -> None:
    assert loop_of(settings, 7) is None
    folder_of(settings).mkdir(parents=True)
    (folder_of(settings) / "seen.json").write_text('{"labels": 3}')
    assert loop_of(settings, 7) is None


@pytest.mark.parametrize("state", [".labelnext", "../state"])
def test_configurations_of_one_name_keep_their_loops_apart(tmp_path: Path, state: str) -> None:
    both = []
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "labelnext.yaml"
        path.write_text(f"source: {{adapter: files, path: p.csv}}\nstate: {state}\n")
        both.append(load_config(path))
    cats, dogs = both
    save_seen(cats, Seen(100, 0.0))
    assert load_seen(cats) == Seen(100, 0.0)
    assert load_seen(dogs) is None
    assert folder_of(cats) != folder_of(dogs)
    assert (folder_of(cats).name == "labelnext") is (state == ".labelnext")


@pytest.mark.parametrize(("labels", "left"), [(100, 20), (115, 5), (120, 0), (200, 0), (90, 10)])
def test_labels_until_the_next_ranking_follow_the_rule_of_the_watch(
    settings: Config, labels: int, left: int
) -> None:
    save_seen(settings, Seen(100, 0.0, every=20))
    loop = loop_of(settings, labels)
    assert loop == Loop(labels, 100, "1970-01-01 00:00 UTC", 0, left, None)


def test_what_an_earlier_version_kept_is_read_by_the_configuration(settings: Config) -> None:
    save_seen(settings, Seen(100, 0.0))
    loop = loop_of(settings, 104)
    assert loop is not None
    assert loop.left == 26


def test_it_is_said_in_a_sentence(settings: Config) -> None:
    save_seen(settings, Seen(1, 86_400.0, every=20, minutes=90))
    loop = loop_of(settings, 20)
    assert loop is not None
    assert loop.sentence() == (
        "last ranking at 1 label, 1970-01-02 00:00 UTC; the next after 1 more label, or on "
        "1970-01-02 01:30 UTC if anything is labelled until then."
    )
    late = Loop(60, 20, "1970-01-02 00:00 UTC", 3, 0, None)
    assert late.sentence() == (
        "3 rounds, last ranking at 20 labels, 1970-01-02 00:00 UTC; the next is due."
    )
