"""Overlap, assignment and merging of boxes, against pycocotools, brute force and hand cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from labelnext.acquisition.matching import hits, match_boxes, merge_boxes
from labelnext.acquisition.overlap import box_iou, mean_shapes, shapes_of
from labelnext.errors import InvalidInput
from labelnext.pool import Objects

LEFT, RIGHT = [0.0, 0.0, 0.4, 0.4], [0.6, 0.6, 1.0, 1.0]


def made_boxes(rng: np.random.Generator, n: int) -> np.ndarray:
    corners = np.sort(rng.random((n, 2, 2)), axis=1)
    return corners.reshape(n, 4)


def test_overlap_agrees_with_pycocotools() -> None:
    rng = np.random.default_rng(0)
    a, b = made_boxes(rng, 40), made_boxes(rng, 30)
    wide = [np.concatenate([x[:, :2], x[:, 2:] - x[:, :2]], axis=1) for x in (a, b)]
    expected = coco.iou(*wide, np.zeros(30, dtype=np.uint8))
    assert box_iou(a, b) == pytest.approx(expected, abs=1e-12)


def test_overlap_with_a_box_without_area_is_zero() -> None:
    flat = np.array([[0.5, 0.5, 0.5, 0.5]])
    assert box_iou(flat, flat).tolist() == [[0.0]]
    assert box_iou(np.empty((0, 4)), flat).shape == (0, 1)


@given(seed=st.integers(0, 999), n=st.integers(0, 4), m=st.integers(0, 4))
def test_assignment_is_as_good_as_the_best_of_all(seed: int, n: int, m: int) -> None:
    iou = np.random.default_rng(seed).random((n, m))
    worth = np.where(iou >= 0.5, iou, 0)
    if n > m:
        worth = worth.T
    few, many = worth.shape
    ways = itertools.permutations(range(many), few)
    best = max((sum(worth[i, j] for i, j in enumerate(way)) for way in ways), default=0)
    rows, columns = match_boxes(iou, 0.5)
    assert iou[rows, columns].sum() == pytest.approx(best)
    assert (iou[rows, columns] >= 0.5).all()
    assert len(set(rows)) == len(rows)
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInput, match="iou must be above 0"):
        match_boxes(np.ones((1, 1)), threshold)


def test_three_versions_are_merged_around_the_mean_box() -> None:
    # The third box overlaps the first by 0.5 / 0.9 and the mean of the first two by more.
    first = Objects([0, 1], [0.9], boxes=[[0, 0, 0.5, 1]])
    second = Objects([0, 1], [0.8], boxes=[[0.1, 0, 0.6, 1]])
    third = Objects([0, 2], [0.3, 0.7], boxes=[RIGHT, [0.2, 0, 0.7, 1]])
    versions = [first, second, third]
    clusters = merge_boxes(versions, iou=0.5)
    assert clusters.members.tolist() == [[0, 0, 1], [-1, -1, 0]]
    assert mean_shapes(shapes_of(versions), clusters.members)[0] == pytest.approx([0.1, 0, 0.6, 1])
    assert clusters.offsets.tolist() == [0, 2]


def test_items_without_boxes_have_no_clusters_and_floor_leaves_boxes_out() -> None:
    first = Objects([0, 0, 1, 2], [0.9, 0.1], boxes=[LEFT, LEFT])
    second = Objects([0, 0, 0, 1], [0.9], boxes=[LEFT])
    clusters = merge_boxes([first, second], floor=0.2)
    assert clusters.offsets.tolist() == [0, 0, 1, 2]
    assert clusters.members.tolist() == [[0, -1], [-1, 0]]


@given(seed=st.integers(0, 200))
def test_merging_does_not_depend_on_the_order_of_the_objects(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, confidences = made_boxes(rng, 6), rng.random(6).round(1)
    order = np.concatenate([rng.permutation(3), 3 + rng.permutation(3)])
    second = Objects([0, 2, 4], rng.random(4), boxes=made_boxes(rng, 4))
    plain = Objects([0, 3, 6], confidences, boxes=boxes)
    turned = Objects([0, 3, 6], confidences[order], boxes=boxes[order])
    found = []
    for first in (plain, turned):
        clusters = merge_boxes([first, second], iou=0.2)
        means = mean_shapes(shapes_of([first, second]), clusters.members)
        found.append((means.round(12).tolist(), clusters.offsets.tolist()))
    assert found[0] == found[1]


def test_part_of_the_items_gives_the_same_clusters() -> None:
    rng = np.random.default_rng(4)
    versions = [Objects(np.arange(11) * 3, rng.random(30), boxes=made_boxes(rng, 30))] * 2
    whole, part = merge_boxes(versions), merge_boxes(versions, start=4, stop=7)
    rows = slice(*whole.offsets[[4, 7]])
    assert part.members.tolist() == whole.members[rows].tolist()


def test_objects_without_boxes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="must have boxes"):
        merge_boxes([Objects([0, 1], [0.5])] * 2)


def test_pairs_of_boxes_are_limited_per_image() -> None:
    boxes = np.tile([0.0, 0.0, 1.0, 1.0], (5001, 1))
    with pytest.raises(InvalidInput, match=r"at most 25,000,000 pairs .* got 5,001 × 5,000"):
        box_iou(boxes, boxes[:5000])
    pair = [Objects([0, 5001], np.full(5001, 0.5), boxes=boxes)] * 2
    with pytest.raises(InvalidInput, match="got 5,001 × 5,001"):
        merge_boxes(pair)
    with pytest.raises(InvalidInput, match="got 5,001 × 5,001"):
        hits(*pair)


def test_overlap_in_blocks_is_the_overlap_of_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    corners = np.sort(np.random.default_rng(0).random((7, 2, 2)), axis=1).reshape(7, 4)
    whole = box_iou(corners, corners[:5])
    monkeypatch.setattr("labelnext.acquisition.overlap._BLOCK", 10)
    assert (box_iou(corners, corners[:5]) == whole).all()
    assert np.diag(whole) == pytest.approx(1)
