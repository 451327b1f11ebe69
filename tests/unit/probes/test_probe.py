"""A probe learns what is evident, predicts labelled items out of fold, and says what it can't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from labelnext import Objects, Pool, probe
from labelnext.errors import ConfigError, InvalidInput, UnknownName
from labelnext.probes.choice import Choice
from labelnext.probes.folds import folds_of
from labelnext.probes.space import space_of
from labelnext.quality.reviews import review
from labelnext.ranking.rank import rank
from labelnext.ranking.recipe import NOT_TRAINED

NAMES = ("left", "right")
# Two groups, ten units apart: the class of every point is evident.
POINTS = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [10, 0],
    [10, 1],
    [11, 0],
    [11, 1],
    [0.5, 0.5],
    [10.5, 0.5],
]
LABELS = [0, 0, 0, 0, 1, 1, 1, 1, -1, -1]


def evident(**columns: Any) -> Pool:
    given = {"embeddings": POINTS, "labels": LABELS, "classes": NAMES, **columns}
    return Pool("abcdefghij", **given)


def told(pool: Pool) -> str:
    return " ".join(notice.message for notice in pool.notices)


def codes(pool: Pool) -> list[str]:
    return [notice.code for notice in pool.notices]


def test_probe_of_an_empty_pool_is_not_trained() -> None:
    pool = probe(Pool([], embeddings=np.empty((0, 2)), classes=NAMES))
    assert codes(pool) == [NOT_TRAINED]


@pytest.mark.parametrize("model", ["logistic", "nearest", "sklearn.naive_bayes.GaussianNB"])
def test_probe_finds_evident_classes(model: str) -> None:
    pool = probe(evident(), model)
    assert pool.top_names.tolist() == ["left"] * 4 + ["right"] * 4 + ["left", "right"]  # type: ignore[union-attr]
    assert pool.probabilities is not None
    assert pool.probabilities[8, 0] > 0.75
    assert pool.probabilities[9, 1] > 0.75
    assert not pool.missing.any()
    assert pool.version_names == ("probe",)
    (notice,) = pool.notices
    assert "learned from 8 labels of 2 classes" in notice.message


def test_a_mislabelled_item_is_predicted_by_others_alone() -> None:
    # e lies amid the right group but is labelled left. A model that had seen its label could
    # remember it; the nearest neighbour would be e itself.
    wrong = evident(labels=[0, 0, 0, 0, 0, 1, 1, 1, -1, -1])
    pool = probe(wrong, "nearest", options={"n_neighbors": 1})
    assert pool.probabilities is not None
    assert pool.probabilities[4].tolist() == [0.0, 1.0]
    assert review(pool).item_ids[0] == "e"


def test_nearest_weighs_neighbours_by_distance() -> None:
    # On a line, in units of the standard deviation: from x, the classes are 1 and 3 away, twice.
    # Weights 1/1 and 1/3 give 3/4 and 1/4, whatever the unit is.
    line = [[0.0], [0.0], [4.0], [4.0], [1.0]]
    pool = Pool("abcdx", embeddings=line, labels=[0, 0, 1, 1, -1])
    pool = probe(pool, "nearest", options={"n_neighbors": 4})
    assert pool.probabilities is not None
    np.testing.assert_allclose(pool.probabilities[4], [0.75, 0.25])


def test_a_classifier_by_import_path_gets_its_options() -> None:
    # The prior of all labels: 4 of 6 are left.
    labels = [0, 0, 0, 0, 1, 1, -1, -1, -1, -1]
    options = {"strategy": "prior"}
    pool = probe(evident(labels=labels), "sklearn.dummy.DummyClassifier", options=options)
    assert pool.probabilities is not None
    np.testing.assert_allclose(pool.probabilities[6], [4 / 6, 2 / 6])
    with pytest.raises(ConfigError, match="options must be one of constant"):
        probe(evident(), "sklearn.dummy.DummyClassifier", options={"strategie": "prior"})


def test_probe_depends_on_neither_order_nor_process() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(500, 33)).astype(np.float32)
    labels = np.where(np.arange(500) < 90, rng.integers(3, size=500), -1)
    pool = Pool(np.arange(500), embeddings=points, labels=labels)
    order = rng.permutation(500)
    mixed = Pool(order, embeddings=points[order], labels=labels[order])
    for model in ("logistic", "nearest"):
        first, second = probe(pool, model), probe(mixed, model)
        assert first.probabilities is not None
        assert second.probabilities is not None
        np.testing.assert_array_equal(first.probabilities[order], second.probabilities)
        assert first.fingerprint() == second.fingerprint()


def test_half_precision_is_read() -> None:
    pool = probe(evident(embeddings=np.array(POINTS, dtype=np.float16)))
    assert pool.top_classes is not None
    assert pool.top_classes[[8, 9]].tolist() == [0, 1]


def test_every_class_is_spread_over_the_folds() -> None:
    ids, classes = np.arange(17).astype(str), np.array([0] * 10 + [1] * 5 + [2] * 2)
    folds = folds_of(ids, classes, seed=3)
    assert np.bincount(folds[:10]).tolist() == [2] * 5
    assert np.bincount(folds[10:15]).tolist() == [1] * 5
    assert folds[15] != folds[16]
    order = np.random.default_rng(0).permutation(17)
    np.testing.assert_array_equal(folds_of(ids[order], classes[order], seed=3), folds[order])
    assert (folds_of(ids, classes, seed=4) != folds).any()


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ([-1] * 10, "no labels of items with embeddings"),
        ([0, 0, 0, *[-1] * 7], "left 3, right 0"),
        ([0, 0, 0, 0, 1, *[-1] * 5], "left 4, right 1"),
    ],
)
def test_too_few_labels_leave_the_pool_without_predictions(labels: list[int], got: str) -> None:
    pool = probe(evident(labels=labels))
    assert pool.probabilities is None
    assert pool.missing.all()
    (notice,) = pool.notices
    assert notice.message == (
        "The probe isn't trained yet, and selection auto goes by coverage until then: it needs two "
        f"classes with at least 2 labels each; got {got}."
    )


def test_auto_starts_cold_whatever_shall_score_later() -> None:
    pool = probe(evident(labels=[0, 0, 0, 0, 1, *[-1] * 5]))
    ranking = rank(pool, "entropy", selection="auto", budget=2, base=2)
    assert (ranking.selection, ranking.acquisition) == ("typiclust", None)
    with pytest.raises(InvalidInput, match="The probe isn't trained yet"):
        rank(pool, "margin", budget=2)


def test_a_class_with_one_label_no_longer_stops_a_probe_with_enough() -> None:
    # Two labels a class on average: 3 + 2 + 1 are six labels of three classes.
    places = [[float(i), 0.0] for i in range(6)]
    labels = [0] * 3 + [1] * 2 + [2]
    pool = probe(Pool(range(6), embeddings=places, labels=labels, classes="xyz"))
    assert pool.probabilities is not None
    assert not pool.probabilities[:, 2].any()
    (left_out,) = [notice for notice in pool.notices if notice.code == "probe_left_out"]
    assert left_out.item_ids == ("5",)
    assert "1 class with fewer than 2 labels, which have probability 0: z" in left_out.message
    fewer = probe(Pool(range(5), embeddings=places[1:], labels=labels[1:], classes="xyz"))
    assert codes(fewer) == [NOT_TRAINED]
    assert "2 labels each, and 6 labels in all; got x 2, y 2, z 1." in fewer.notices[0].message


@pytest.mark.parametrize(
    ("counts", "enough"),
    [
        ([15, 5], 20),  # the other 50 classes don't hold it up from 20 labels on
        ([15, 3, *[1] * 9], 22),  # two for each of the eleven that occur
    ],
)
def test_classes_that_nobody_gave_hold_a_probe_up_until_20_labels(
    counts: list[int], enough: int
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)[::-1]
    names = [str(c) for c in range(52)]
    for n_labels in range(enough - 3, len(labels) + 1):
        kept = labels[len(labels) - n_labels :]
        places = [[float(c), i / 99] for i, c in enumerate(kept)]
        pool = probe(Pool(range(n_labels), embeddings=places, labels=kept, classes=names))
        needed = max(20, 2 * len(np.unique(kept)))
        assert (pool.probabilities is not None) == (n_labels >= needed)


def test_items_without_an_embedding_are_named_and_stay_without_a_prediction() -> None:
    places = [*POINTS[:9], [np.nan, 0.5]]
    pool = probe(evident(embeddings=places))
    assert pool.missing.tolist() == [False] * 9 + [True]
    notice = pool.notices[0]
    assert (notice.code, notice.item_ids) == ("probe_without_embedding", ("j",))


@pytest.mark.parametrize("far", [1e5, 1e14])
@pytest.mark.parametrize("label", [-1, 0, 1])
@pytest.mark.parametrize("model", ["logistic", "nearest"])
def test_one_embedding_far_out_spoils_no_other_prediction(
    model: str, label: int, far: float
) -> None:
    places, labels = [*POINTS * 10, [far, -far]], [*LABELS * 10, label]
    learned = probe(Pool(range(101), embeddings=places, labels=labels, classes=NAMES), model)
    names = ["left"] * 4 + ["right"] * 4 + ["left", "right"]
    assert learned.top_names[:100].tolist() == names * 10  # type: ignore[index]
    notice = learned.notices[0]
    assert (notice.code, notice.item_ids) == ("probe_far_embedding", ("100",))


def test_far_embeddings_are_pulled_in_to_ten_times_the_radius_of_the_others() -> None:
    # The middle is 0, 95% lie within 1 of it, so what is farther than 10 counts as 10.
    places = np.array([[0.0]] * 7 + [[1.0]] * 6 + [[-1.0]] * 6 + [[-1e6]])
    space = space_of(Pool(range(20), embeddings=places))
    moved = np.array([0.0] * 7 + [1.0] * 6 + [-1.0] * 6 + [-10.0])
    assert space.far.tolist() == [19]
    expected = (moved - moved.mean()) / moved.std()
    assert space.of(np.arange(20))[:, 0] == pytest.approx(expected)


def test_predictions_of_the_source_are_replaced_and_counted() -> None:
    rows = [[0.5, 0.5]] * 9 + [[np.nan, np.nan]]
    missing = [False] * 9 + [True]
    for columns in (
        {"probabilities": rows, "missing": missing},
        {"objects": Objects([0, 1] + [1] * 9, [0.9], class_ids=[0])},
    ):
        pool = probe(evident(**columns))
        n = "9 items" if "missing" in columns else "10 items"
        (notice,) = [notice for notice in pool.notices if notice.code == "probe_replaces"]
        assert notice.message.endswith(f"which had some for {n}.")
        assert pool.objects is None
        assert pool.top_classes is not None
        assert pool.top_classes[8] == 0


def test_an_untrained_probe_leaves_the_predictions_of_the_source() -> None:
    pool = probe(evident(labels=[-1] * 10, probabilities=[[0.7, 0.3]] * 10))
    assert pool.probabilities is not None
    assert pool.probabilities[0].tolist() == [0.7, 0.3]
    assert "the source's predictions count until then" in pool.notices[0].message
    assert rank(pool, "margin", budget=1).acquisition == "margin"


def test_remarks_on_replaced_predictions_are_dropped() -> None:
    from labelnext.pool.objects import Notice

    pool = replace(
        evident(probabilities=[[0.5, 0.5]] * 10),
        notices=(Notice("in_sample_predictions", "x", ("a",)), Notice("other", "y")),
    )
    assert codes(probe(pool)) == ["other", "probe_replaces", "probe"]


def test_of_votes_the_most_frequent_class_counts() -> None:
    votes = [[label, label, 1 - label] if label >= 0 else [-1] * 3 for label in LABELS]
    votes[0] = [0, 1, -1]  # a tie says nothing
    pool = probe(evident(labels=None, votes=votes))
    assert pool.top_classes is not None
    assert pool.top_classes[[8, 9]].tolist() == [0, 1]
    assert "learned from 7 labels" in pool.notices[0].message


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (evident(embeddings=None), "a probe needs embeddings, but the pool has none"),
        (
            evident(labels=None, truth=Objects([0, 1] + [1] * 9, [1.0], class_ids=[0])),
            "a probe needs a class label per item; got labelled objects",
        ),
    ],
)
def test_what_a_probe_cannot_learn_from_is_refused(pool: Pool, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        probe(pool)


def test_names_are_checked_before_anything_is_imported() -> None:
    with pytest.raises(UnknownName, match="did you mean 'logistic'"):
        probe(evident(), "logistik")
    with pytest.raises(UnknownName, match=r"Hint: name a class by its import path: sklearn\.e"):
        probe(evident(), "svm")
    with pytest.raises(InvalidInput, match="model must be text; got"):
        probe(evident(), object())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="model must be a class of sklearn"):
        probe(evident(), "os.path.join")
    with pytest.raises(InvalidInput, match="pool must be a Pool; got list"):
        probe([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": None}, "model must be text; got None"),
        ({"options": "C=1"}, "options must be a mapping or null; got 'C=1'"),
        ({"seed": -1}, "seed must be at least 0; got -1"),
        ({"allow_import": "yes"}, "allow_import must be true or false; got 'yes'"),
    ],
)
def test_arguments_of_another_kind_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        probe(evident(), **arguments)
    if "model" in arguments:
        with pytest.raises(InvalidInput, match=message):
            probe(evident(), arguments["model"])


def test_rare_classes_are_balanced_unless_options_say_otherwise() -> None:
    even, uneven = np.array([6, 4]), np.array([8, 2])
    assert Choice().estimator(even).class_weight is None
    assert Choice().estimator(uneven).class_weight == "balanced"
    assert Choice(options={"class_weight": None}).estimator(uneven).class_weight is None


def test_weights_go_by_the_names_of_classes_also_where_one_is_left_out() -> None:
    rng = np.random.default_rng(5)
    places = rng.normal(size=(40, 2))
    given = np.array(["few"] + ["left"] * 14 + ["right"] * 15 + [""] * 10)
    names = ("few", "left", "right")
    labels = [names.index(name) if name else -1 for name in given]
    options = {"class_weight": {"right": 50.0}}
    learned = probe(
        Pool(range(40), embeddings=places, labels=labels, classes=names), options=options
    )
    points = (places - places.mean(axis=0)) / places.std(axis=0)
    model = LogisticRegression(class_weight={"left": 1, "right": 50.0}, max_iter=1000)
    expected = model.fit(points[1:30], given[1:30]).predict_proba(points[30:])
    assert learned.probabilities is not None
    assert learned.probabilities[30:, 1:] == pytest.approx(expected, abs=1e-4)


def test_weights_of_classes_that_nobody_gave_yet_are_named() -> None:
    learned = probe(evident(), options={"class_weight": {"left": 2, "up": 3}})
    assert "weights no class up (class_weight): so far, there are left, right" in told(learned)


def test_nearest_takes_at_most_the_root_of_the_labels_and_never_more_than_there_are() -> None:
    for counts, options, expected in (
        (np.array([2, 2]), {}, 2),
        (np.array([60, 60]), {}, 10),
        (np.array([2, 2]), {"n_neighbors": 7}, 4),
    ):
        assert Choice("nearest", options).estimator(counts).n_neighbors == expected
