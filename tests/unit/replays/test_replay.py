"""Replays on the digits: pairs, workers, resumption, and advice that can say no."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import labelnext
from labelnext.cli.console import print_replay
from labelnext.errors import Busy, ConfigError, InvalidInput, UnknownName
from labelnext.journal.lock import only_run
from labelnext.pool import Pool
from labelnext.ranking.strategy import Strategy
from labelnext.replays.curves import Curve, Protocol, learning_curve, needed
from labelnext.replays.outcomes import ReplayReport
from labelnext.replays.replay import labelled_part
from labelnext.replays.simulate import simulate

FEATURES, LABELS = (array[:500] for array in load_digits(return_X_y=True))
SMALL = Protocol(initial=10, batch=10, rounds=3)
RANDOM, MARGIN = Strategy.parse("random"), Strategy.parse("margin")


def curve(name: str, seed: int, *accuracies: float) -> Curve:
    """Of two classes; the second is in no held-out part."""
    recalls = tuple((value, float("nan")) for value in accuracies)
    return Curve(name, seed, accuracies, accuracies, recalls)


def test_strategy_is_a_function_a_method_or_both() -> None:
    assert Strategy.parse("margin") == Strategy("margin", "margin", "top_k")
    assert Strategy.parse("image_diversity").acquisition is None
    both = Strategy.parse("entropy / image_diversity")
    assert (both.acquisition, both.selection) == ("entropy", "image_diversity")
    with pytest.raises(UnknownName, match="did you mean 'margin'"):
        Strategy.parse("margn")


def test_outcome_is_the_mean_difference_of_the_curves_after_the_start() -> None:
    curves = [
        curve("random", 0, 0.5, 0.6, 0.8),
        curve("random", 1, 0.5, 0.6, 0.7),
        curve("margin", 0, 0.5, 0.8, 0.9),  # mean after the start .85, random .70: +.15
        curve("margin", 1, 0.5, 0.7, 0.7),  # .70 and .65: +.05
    ]
    protocol = Protocol(initial=10, batch=5, rounds=2)
    report = ReplayReport.of(curves, protocol, ["a", "b"], 100)
    random, margin = report.outcomes
    assert random.strategy == "random"
    assert margin.difference == pytest.approx(0.10)
    assert margin.wins == 2
    assert margin.accuracies == pytest.approx([0.5, 0.75, 0.8])
    assert margin.labels_to_match == 15  # .75 is random's last mean
    assert margin.recall_differences == [pytest.approx(0.05), None]
    assert margin.recall_intervals == [pytest.approx((0, 0.1)), None]
    assert margin.recall_wins == [1, 0]
    assert margin.class_labels_to_match == [15, None]
    assert random.class_labels_to_match == [20, None]
    assert report.labels == [10, 15, 20]
    assert margin.interval == pytest.approx((0.05, 0.15))  # the only means of resampled pairs
    assert "Use margin: +10.0 points" in report.advice
    assert "15 labels instead of 20" in report.advice


def test_labels_saved_are_counted_for_each_class(capsys: pytest.CaptureFixture[str]) -> None:
    # Random's last recalls are .7 and .4. Margin has the first class at 15 labels; the second
    # class never: its mean ends at .3.
    def of(name: str, seed: int, first: list[float], second: list[float]) -> Curve:
        recalls = tuple(zip(first, second, strict=True))
        means = tuple((a + b) / 2 for a, b in recalls)
        return Curve(name, seed, means, means, recalls)

    curves = [
        of("random", 0, [0.5, 0.6, 0.8], [0.1, 0.2, 0.5]),
        of("random", 1, [0.5, 0.5, 0.6], [0.1, 0.2, 0.3]),
        of("margin", 0, [0.5, 0.9, 0.9], [0.1, 0.2, 0.3]),
        of("margin", 1, [0.5, 0.6, 0.9], [0.1, 0.2, 0.3]),
    ]
    protocol = Protocol(initial=10, batch=5, rounds=2)
    report = ReplayReport.of(curves, protocol, ["a", "b"], 100)
    random, margin = report.outcomes
    assert random.class_labels_to_match == [20, 20]
    assert margin.class_labels_to_match == [15, None]
    assert json.loads(report.to_json())["outcomes"][1]["class_labels_to_match"] == [15, None]
    tables = r'of each class</h2>\n<div class="wide"><table>(.*?)</table>'
    (table,) = re.findall(tables, report.to_html(), re.DOTALL)[:1]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", table)
    assert cells == ["a", "20", "15", "b", "20", "not reached"]
    print_replay(report)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["a", "20", "15"] in rows
    assert ["b", "20", "–"] in rows


def test_labels_saved_count_from_where_random_first_was_as_good_as_at_its_end() -> None:
    def advice(margin: float) -> str:
        curves = [
            Curve(name, seed, points, points, tuple((p, float("nan")) for p in points))
            for seed in range(20)
            for name, points in (
                ("random", (0.5, 0.6, 0.8, 0.8)),
                ("margin", (0.5, margin, 0.9, 0.9)),
            )
        ]
        protocol = Protocol(initial=10, batch=5, rounds=3)
        return ReplayReport.of(curves, protocol, ["a", "b"], 100).advice

    assert "with 15 labels instead of 20." in advice(0.8)  # the end is at 25
    assert "labels instead of" not in advice(0.7)


def test_advice_speaks_of_labels_only_where_some_are_saved() -> None:
    # Above random on the way, and just as good at the end: no label less was enough.
    curves = [
        curve(name, seed, 0.5, middle, 0.9)
        for seed in range(20)
        for name, middle in (("random", 0.6), ("margin", 0.8))
    ]
    report = ReplayReport.of(curves, Protocol(initial=10, batch=5, rounds=2), ["a", "b"], 100)
    assert report.advice.startswith("Use margin")
    assert "labels instead of" not in report.advice


def test_advice_says_no_where_the_interval_holds_zero() -> None:
    curves = [
        curve(name, seed, 0.5, 0.6 + gain)
        for seed in range(20)
        for name, gain in (("random", 0.0), ("margin", 0.02 if seed % 2 else -0.018))
    ]
    report = ReplayReport.of(curves, Protocol(rounds=1), ["a", "b"], 100)
    assert "no better than random on your data" in report.advice


def test_missing_seed_is_refused() -> None:
    curves = [curve("random", 0, 0.5, 0.5), curve("margin", 1, 0.5, 0.5)]
    with pytest.raises(InvalidInput, match="for every seed"):
        ReplayReport.of(curves, Protocol(rounds=1), ["a", "b"], 100)


def test_strategies_share_the_start_and_part_afterwards() -> None:
    first = learning_curve(FEATURES, LABELS, 10, RANDOM, SMALL, seed=3)
    second = learning_curve(FEATURES, LABELS, 10, MARGIN, SMALL, seed=3)
    assert first.accuracies[0] == second.accuracies[0]
    assert first.accuracies[1:] != second.accuracies[1:]
    assert len(first.accuracies) == SMALL.rounds + 1
    assert first.balanced == pytest.approx(np.nanmean(first.recalls, axis=1))


def test_start_holds_two_classes_even_when_one_is_rare() -> None:
    labels = np.zeros(100, dtype=int)
    labels[::10] = 1
    protocol = Protocol(initial=2, batch=2, rounds=1)
    for seed in range(10):
        learning_curve(FEATURES[:100], labels, 2, RANDOM, protocol, seed)


def test_figures_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    one, two = (
        simulate(FEATURES, LABELS, 10, [RANDOM, MARGIN], SMALL, seeds=range(2), workers=n)
        for n in (1, 2)
    )
    assert one == two


def test_replay_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    asked = []

    def counted(stage: str, done: int, total: int | None) -> None:
        asked.append(done)

    def go(n_seeds: int) -> list[Curve]:
        asked.clear()
        return simulate(
            FEATURES,
            LABELS,
            10,
            [RANDOM, MARGIN],
            SMALL,
            seeds=range(n_seeds),
            workers=1,
            store=tmp_path,
            progress=counted,
        )

    first = go(1)
    assert asked == [1, 2]
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text() + '\n{"strategy": "margin", "se')  # the process died here
    second = go(2)
    assert asked == [3, 4]
    assert second[:2] == first
    assert go(2) == second
    assert asked == []


def test_too_few_items_say_how_many_are_needed() -> None:
    # 220 to label: of 366 items 146 are held out, and 220 are left; of 365 there are 219
    assert needed(Protocol(initial=20, batch=20, rounds=10, test_size=0.4)) == 366
    assert needed(Protocol(initial=500, batch=300, rounds=15, test_size=0.16667)) == 6000
    with pytest.raises(InvalidInput, match="at least 366 for 10 rounds of 20 after 20; got 100"):
        simulate(FEATURES[:100], LABELS[:100], 10, [RANDOM], Protocol(), seeds=range(2))


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("sklearn.linear_model.Logistic", {}, "import path of a classifier"),
        ("LogisticRegression", {}, "import path of a classifier"),
        ("sklearn.linear_model.Ridge", {}, "must have fit and predict_proba"),
        ("sklearn.linear_model.LogisticRegression", {"depth": 3}, "model_options must be one of C"),
    ],
)
def test_wrong_model_is_refused(model: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Protocol(model=model, model_options=options).estimator(0)


def test_pool_without_labels_or_features_is_refused() -> None:
    with pytest.raises(InvalidInput, match="needs embeddings"):
        labelled_part(Pool(["a"], labels=[0]))
    with pytest.raises(InvalidInput, match="class label"):
        labelled_part(Pool(["a"], embeddings=[[1.0]]))


def test_labelled_items_without_a_finite_embedding_are_refused() -> None:
    bare = Pool(["a", "b"], labels=[0, 1], embeddings=[[np.nan], [np.inf]])
    with pytest.raises(InvalidInput, match="needs labelled items with an embedding; none"):
        labelled_part(bare)


def test_labelled_part_is_sorted_by_id_and_leaves_out_nan() -> None:
    pool = Pool(
        ["10", "9", "8", "7"],
        embeddings=[[10.0], [9.0], [8.0], [np.nan]],
        labels=[1, 0, -1, 1],
    )
    features, labels = labelled_part(pool)
    assert features.tolist() == [[9], [10]]
    assert labels.tolist() == [0, 1]


def test_replay_says_what_to_do_about_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    rows = [
        {"id": str(i), "label": "ab"[i % 2], "embedding": [i % 2, i % 3, i % 7]} for i in range(60)
    ]
    (tmp_path / "p.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "file").touch()
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: p.jsonl}\nstate: file/state\n")
    with pytest.raises(ConfigError, match="state must be a writable folder") as caught:
        labelnext.replay(config)
    assert str(caught.value.hint).startswith("set state: to a folder that you can write to")


def test_a_replay_and_a_run_need_not_wait_for_each_other(tmp_path: Path) -> None:
    arrays = {"embeddings": FEATURES, "labels": LABELS, "classes": list("0123456789")}
    np.savez(tmp_path / "digits.npz", item_ids=np.arange(500), **arrays)
    config = tmp_path / "c.yaml"
    config.write_text(
        "source: {adapter: files, path: digits.npz}\n"
        "replay: {strategies: [], seeds: 2, rounds: 1, path: null, workers: 1}\n"
    )
    state = tmp_path / ".labelnext"
    with only_run(state):
        assert labelnext.replay(config).n_seeds == 2
    with only_run(state / "replay"), pytest.raises(Busy, match="in progress in .*replay'"):
        labelnext.replay(config)


def test_replay_of_a_config_finds_margin_on_digits_and_nothing_in_noise(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features, labels = load_digits(return_X_y=True)
    advice = {}
    for name, y in {"digits": labels, "noise": rng.permutation(labels)}.items():
        np.savez(
            tmp_path / f"{name}.npz",
            item_ids=np.arange(800),
            embeddings=features[:800],
            labels=y[:800],
            classes=[f"<{c}>" for c in range(10)],
        )
        config = tmp_path / f"{name}.yaml"
        config.write_text(
            f"source: {{adapter: files, path: {name}.npz}}\n"
            "replay: {strategies: [margin], seeds: 8, rounds: 5, path: "
            f"{name}.html}}\n"
        )
        report = labelnext.replay(config)
        advice[name] = report.advice
        page = (tmp_path / f"{name}.html").read_text()
        assert "&lt;3&gt;" in page
        assert "<svg" in page
        assert json.loads(report.to_json())["n_items"] == 800
    assert advice["digits"].startswith("Use margin")
    assert "no better than random on your data" in advice["noise"]
