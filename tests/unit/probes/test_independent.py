"""A probe of classes of which an item may have several, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext import Objects, Pool, probe
from labelnext.errors import InvalidInput
from labelnext.probes.independent import given_classes, has_several
from labelnext.ranking.rank import rank
from labelnext.ranking.recipe import NOT_TRAINED

NAMES = ("east", "north")
# Three labelled points in each corner of a square, and then one in two of them.
CORNERS = [(x, y) for x in (0, 10) for y in (0, 10) for _ in range(3)]
POINTS = [(x + 0.1 * (n % 3), y) for n, (x, y) in enumerate(CORNERS)] + [(10.1, 10), (0.1, 0)]
GIVEN = [[c for c, far in enumerate(point) if far] for point in CORNERS]
IDS = "abcdefghijklmn"


def labelled(given: list[list[int] | None]) -> Objects:
    """The classes of each item; None for an item that nobody looked at."""
    sizes = [len(classes or ()) for classes in given]
    return Objects(
        np.cumsum([0, *sizes]),
        np.ones(sum(sizes)),
        class_ids=np.array([c for classes in given for c in classes or ()], dtype=np.int64),
        missing=[classes is None for classes in given],
    )


def square(given: list[list[int] | None] | None = None, **columns: Any) -> Pool:
    rows: list[list[int] | None] = [*GIVEN, None, None] if given is None else given
    done = [classes is not None for classes in rows]
    told = {"embeddings": POINTS, "classes": NAMES, "truth": labelled(rows), "labelled": done}
    return Pool(IDS, **{**told, **columns})


def test_nothing_is_learned_from_an_empty_pool() -> None:
    empty = Pool([], embeddings=np.empty((0, 2)), classes=NAMES, truth=labelled([]))
    assert [n.code for n in probe(empty).notices] == [NOT_TRAINED]


@pytest.mark.parametrize("model", ["logistic", "nearest"])
def test_each_class_is_learned_on_its_own(model: str) -> None:
    pool = probe(square(), model)
    assert pool.multilabel
    assert pool.probabilities is not None
    likely = pool.probabilities > 0.5
    # The labelled items are predicted without their labels, and by the others' corners.
    expected = [[c in classes for c in range(2)] for classes in GIVEN]
    assert likely[:12].tolist() == expected
    assert likely[12:].tolist() == [[True, True], [False, False]]
    assert not pool.missing.any()
    assert pool.version_names == ("probe",)
    (notice,) = pool.notices
    assert notice.message == (
        f"The probe ({model}) learned 2 independent classes from 12 labelled items; it predicts "
        "labelled items out of fold."
    )


def test_an_items_own_classes_do_not_predict_it() -> None:
    given: list[list[int] | None] = [*GIVEN, None, None]
    given[0] = [0, 1]  # a lies in the corner of none
    pool = probe(square(given), "nearest", options={"n_neighbors": 1})
    assert pool.probabilities is not None
    assert pool.probabilities[0].tolist() == [0.0, 0.0]


def test_order_of_the_items_changes_nothing() -> None:
    pool = square()
    shuffled = [*range(13, -1, -1)]
    rows: list[list[int] | None] = [*GIVEN, None, None]
    turned = Pool(
        [IDS[i] for i in shuffled],
        embeddings=[POINTS[i] for i in shuffled],
        classes=NAMES,
        truth=labelled([rows[i] for i in shuffled]),
        labelled=[rows[i] is not None for i in shuffled],
    )
    one, other = probe(pool).probabilities, probe(turned).probabilities
    assert one is not None
    assert other is not None
    assert one.tolist() == other[shuffled].tolist()


def test_single_labels_of_a_multilabel_pool_are_classes_too() -> None:
    labels = [0 if x else 1 for x, _ in CORNERS]
    pool = square(truth=None, labels=[*labels, -1, -1], multilabel=True, labelled=None)
    found = probe(pool).probabilities
    assert found is not None
    assert (found[12:] > 0.5).tolist() == [[True, False], [False, True]]


def test_items_without_a_class_count_only_if_somebody_looked_at_them() -> None:
    known = square()
    unknown = Objects(known.truth.offsets, known.truth.confidences,  # type: ignore[union-attr]
                      class_ids=known.truth.class_ids)  # type: ignore[union-attr]  # fmt: skip
    rows, given = given_classes(known, 2)
    assert rows.tolist() == [*range(12)]
    assert given[:3].tolist() == [[False, False]] * 3
    rows, _ = given_classes(square(truth=unknown, multilabel=True), 2)
    assert rows.tolist() == [*range(3, 12)]
    assert not has_several(square(truth=unknown))


def test_it_waits_for_two_items_on_either_side_of_each_class() -> None:
    given: list[list[int] | None] = [[], [1], [], [1], [0], *[None] * 9]
    (notice,) = probe(square(given)).notices
    assert notice.code == NOT_TRAINED
    assert notice.message.endswith("got east 1, north 2, of 5 labelled items.")
    given[5] = [0]
    assert probe(square(given)).multilabel


def test_a_class_that_nearly_all_or_nearly_none_have_is_left_out_in_the_end() -> None:
    names = ("east", "all", "none")
    given: list[list[int] | None] = [[0, 1] if x else [1] for _ in range(3) for x, _ in CORNERS]
    points = [point for _ in range(3) for point in POINTS[:12]]
    truth = labelled([*given, None])
    pool = Pool(
        range(37),
        embeddings=[*points, (10, 0)],
        classes=names,
        truth=truth,
        labelled=[*[True] * 36, False],
    )
    made = probe(pool)
    assert made.probabilities is not None
    assert made.probabilities[36, 0] > 0.5
    assert made.probabilities[36, 1:].tolist() == [1.0, 0.0]
    assert "left out all, none, which nearly all or nearly none have" in made.notices[0].message


def test_the_doubtful_item_comes_first() -> None:
    points = [*POINTS[:12], (5, 10), (0.1, 0)]  # between east and west
    assert rank(probe(square(embeddings=points)), "entropy").item_ids.tolist() == ["m", "n"]


def test_labelled_boxes_are_no_classes_of_items() -> None:
    boxes = Objects([0, 1] + [1] * 13, [1.0], class_ids=[0], boxes=[[0, 0, 1, 1]])
    with pytest.raises(InvalidInput, match="got labelled objects"):
        probe(square(truth=boxes, labelled=None, multilabel=True))
