"""Masks: what is read, what is refused, and their overlap against plain pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelnext.acquisition import committee_certainty, localisation_stability
from labelnext.acquisition.matching import merge_boxes
from labelnext.acquisition.overlap import box_iou, iou_of_each, shape_iou
from labelnext.acquisition.weights import class_quality
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.pool.masks import boxes_of_masks, checked_masks, mask_iou, mask_of, mean_mask


def of_pixels(pixels: np.ndarray) -> dict:
    """A mask with plain run lengths, columns first, zeros first."""
    flat = pixels.T.ravel().astype(int)
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return {"size": list(pixels.shape), "counts": [0, *runs] if flat[0] else runs}


def pixels_of(mask: dict) -> np.ndarray:
    """The pixels of a mask, by the format's description: numbers of five bits, lowest first."""
    runs: list[int] = []
    digits: list[int] = []
    for character in mask["counts"]:
        digits.append(character - 48)
        if not digits[-1] & 32:
            value = sum((d & 31) << 5 * place for place, d in enumerate(digits))
            value -= 1 << 5 * len(digits) if digits[-1] & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            digits = []
    flat = np.repeat(np.arange(len(runs)) % 2, runs)
    return flat.reshape(mask["size"][1], mask["size"][0]).T.astype(bool)


def rectangle(x1: int, y1: int, x2: int, y2: int, side: int = 20) -> dict:
    return mask_of([[x1, y1, x2, y1, x2, y2, x1, y2]], side, side)


made_pixels = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).random((7, 5)) < seed % 10 / 9
)


@given(pixels=made_pixels)
def test_run_lengths_hold_the_same_pixels(pixels: np.ndarray) -> None:
    (mask,) = checked_masks([of_pixels(pixels)])
    assert (pixels_of(mask) == pixels).all()
    (again,) = checked_masks([{"size": [7, 5], "counts": mask["counts"].decode()}])
    assert again == mask


@given(a=made_pixels, b=made_pixels)
def test_overlap_is_that_of_the_pixels(a: np.ndarray, b: np.ndarray) -> None:
    masks = checked_masks([of_pixels(a), of_pixels(b)])
    either = (a | b).sum()
    expected = (a & b).sum() / either if either else 0.0
    found = mask_iou(masks[:1], masks[1:])
    assert found.shape == (1, 1)
    assert found[0, 0] == pytest.approx(expected)
    assert iou_of_each(masks, masks[::-1]) == pytest.approx(expected)


@given(layers=st.lists(made_pixels, min_size=1, max_size=5))
def test_mean_mask_has_the_pixels_of_half_the_masks(layers: list[np.ndarray]) -> None:
    masks = checked_masks([of_pixels(layer) for layer in layers])
    expected = 2 * np.sum(layers, axis=0) >= len(layers)
    assert (pixels_of(mean_mask(masks.tolist())) == expected).all()


def test_upright_polygons_overlap_as_their_boxes_do() -> None:
    rng = np.random.default_rng(0)
    low = rng.integers(0, 10, (6, 2))
    boxes = np.concatenate([low, low + rng.integers(2, 10, (6, 2))], axis=1)
    masks = checked_masks([rectangle(*box) for box in boxes.tolist()])
    assert shape_iou(masks, masks) == pytest.approx(box_iou(boxes, boxes))
    assert boxes_of_masks(masks) == pytest.approx(boxes / 20)


def test_parts_of_one_object_are_one_mask() -> None:
    parts = [[0, 0, 4, 0, 4, 4, 0, 4], [10, 10, 14, 10, 14, 14, 10, 14]]
    assert pixels_of(mask_of(parts, 20, 20)).sum() == 32


def test_no_masks_overlap_with_nothing() -> None:
    none = checked_masks([])
    assert mask_iou(none, checked_masks([rectangle(0, 0, 4, 4)])).shape == (0, 1)
    assert boxes_of_masks(none).shape == (0, 4)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"size": [4, 4]},
        {"size": [4, 4], "counts": b""},
        {"size": [4, 4], "counts": b"0"},
        {"size": [4, 4], "counts": b"zz"},
        {"size": [4, 4], "counts": b"P"},
        {"size": [4, 4], "counts": "é"},
        {"size": [4, 4], "counts": [1, 300]},
        {"size": [4, 4], "counts": [20, -4]},
        {"size": [0, 4], "counts": []},
        {"size": [4], "counts": [16]},
        {"size": [5, 4], "counts": b"02208"},
    ],
    ids=str,
)
def test_run_lengths_that_do_not_cover_the_mask_are_refused(broken: dict) -> None:
    with pytest.raises(InvalidInput, match="run lengths of all its pixels.*for row 0"):
        checked_masks([broken])


@pytest.mark.parametrize("shape", [[], [[0, 0, 1, 1]], [[0, 0, 1, 1, 2]], "x", 7, [["a"] * 6]])
def test_segmentation_that_is_no_polygon_is_refused(shape: object) -> None:
    with pytest.raises(InvalidInput, match="run lengths or polygons with at least three corners"):
        mask_of(shape, 4, 4)


def test_masks_of_different_sizes_are_refused() -> None:
    small, large = rectangle(0, 0, 2, 2, 10), rectangle(0, 0, 2, 2, 20)
    with pytest.raises(InvalidInput, match="have the same size; got 10 × 10, 20 × 20"):
        mask_iou(checked_masks([small]), checked_masks([large]))
    with pytest.raises(InvalidInput, match="size of its image, 20 × 20; got 10 × 10"):
        mask_of(small, 20, 20)


def test_objects_draw_boxes_around_masks_and_keep_them_in_order() -> None:
    masks = [rectangle(0, 0, 10, 10), rectangle(4, 0, 8, 20), rectangle(0, 10, 20, 20)]
    objects = Objects([0, 1, 3], [0.9, 0.8, 0.7], masks=masks)
    assert objects.boxes.tolist() == [[0, 0, 0.5, 0.5], [0.2, 0, 0.4, 1], [0, 0.5, 1, 1]]
    turned = objects.take(np.array([1, 0]))
    assert turned.masks.tolist() == [masks[1], masks[2], masks[0]]
    assert objects.where(np.array([True, False, True])).masks.tolist() == [masks[0], masks[2]]
    first, second = (
        Pool(ids, objects=o).fingerprint() for ids, o in (("ab", objects), ("ba", turned))
    )
    assert first == second
    with pytest.raises(InvalidInput, match=r"masks must be of shape \(1,\); got shape \(2,\)"):
        Objects([0, 1], [0.5], masks=masks[:2])


def lying(mask: dict, confidence: float = 1.0, class_id: int = 0) -> Objects:
    return Objects([0, 1], [confidence], class_ids=[class_id], masks=[mask])


def test_masks_are_matched_where_their_boxes_would_mislead() -> None:
    # Two triangles share the box of the square, but not a pixel with each other.
    upper, lower = (
        mask_of([[0, 0, 20, 0, 0, 20]], 20, 20),
        mask_of([[20, 0, 20, 20, 0, 20]], 20, 20),
    )
    a, b = lying(upper), lying(lower)
    assert box_iou(a.boxes, b.boxes)[0, 0] > 0.8
    assert merge_boxes([a, b]).members.tolist() == [[0, -1], [-1, 0]]
    bare = [Objects([0, 1], [1.0], class_ids=[0], boxes=o.boxes) for o in (a, b)]
    assert merge_boxes(bare).members.tolist() == [[0, 0]]


def test_committee_of_masks_by_hand() -> None:
    # Half of the two masks is one of them: the union, 10 × 10. IoU 1 and 0.6, both are sure.
    versions = [lying(rectangle(0, 0, 10, 10)), lying(rectangle(0, 0, 10, 6))]
    assert committee_certainty(versions) == pytest.approx([0.8])
    assert localisation_stability(versions) == pytest.approx([0.6])


def test_upright_masks_give_the_stability_of_their_boxes() -> None:
    rng = np.random.default_rng(3)
    versions = []
    for _ in range(2):
        low = rng.integers(0, 6, (8, 2))
        boxes = np.concatenate([low, low + 12], axis=1)
        masks = [rectangle(*box) for box in boxes.tolist()]
        versions.append(Objects([0, 3, 8], rng.random(8), masks=masks))
    bare = [Objects(v.offsets, v.confidences, boxes=v.boxes) for v in versions]
    assert localisation_stability(versions) == pytest.approx(localisation_stability(bare))


def test_class_quality_asks_for_the_masks_to_overlap() -> None:
    upper, lower = (
        mask_of([[0, 0, 20, 0, 0, 20]], 20, 20),
        mask_of([[20, 0, 20, 20, 0, 20]], 20, 20),
    )
    item = np.array([0])
    assert class_quality(lying(upper), lying(upper), item, 1).tolist() == [1.0]
    assert class_quality(lying(upper), lying(lower), item, 1).tolist() == [0.0]


@pytest.mark.parametrize(
    "corners",
    [
        [0, 0, 1e9, 0, 1e9, 1e9, 0, 1e9],
        [0, 0, -1e9, 0, 5, 5],
        [0, 0, 5, 0, 5, 1001],  # ten times the longer side is 1,000
    ],
)
def test_polygons_far_from_the_image_are_refused(corners: list[float]) -> None:
    with pytest.raises(InvalidInput, match="at most 1,000 pixels from the corner"):
        mask_of([corners], 100, 100)


@pytest.mark.parametrize("number", [1e308, -1e308, float("nan"), float("inf"), 10**400])
def test_numbers_that_are_no_coordinates_are_refused(number: float) -> None:
    with pytest.raises(InvalidInput, match="segmentation must be run lengths or polygons"):
        mask_of([[0, 0, number, 0, 5, 5]], 100, 100)


def test_polygon_that_leaves_the_image_is_cut_off() -> None:
    mask = mask_of([[-40, -40, 2, -40, 2, 40, -40, 40]], 4, 4)
    assert pixels_of(mask).tolist() == [[True, True, False, False]] * 4


def test_polygons_with_a_long_outline_are_refused() -> None:
    across = [0, 0, 1000, 1000] * 1001
    with pytest.raises(InvalidInput, match=r"at most 2,000,000 pixels long; got 2,00"):
        mask_of([across], 1000, 1000)


@pytest.mark.parametrize(
    ("height", "width"),
    [(10**9, 10**9), (50_000, 50_000), (100_001, 1), (0, 5), (-3, 5), (2.5, 2), ("4", 4)],
)
def test_sizes_of_no_image_are_refused(height: float, width: float) -> None:
    with pytest.raises(InvalidInput, match="at most 2,147,483,647 pixels and 100,000 across"):
        mask_of([[0, 0, 2, 0, 2, 2]], height, width)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="at most 2,147,483,647 pixels and 100,000 across"):
        checked_masks([{"size": [height, width], "counts": [0, 1]}])


def test_masks_of_an_object_array_are_checked_too() -> None:
    wrong = np.array([{"size": [4, 4], "counts": b"02208"}, {"size": [9, 9], "counts": b"0"}])
    assert wrong.dtype == object
    with pytest.raises(InvalidInput, match="for row 1"):
        Objects([0, 2], [0.5, 0.5], masks=wrong)


def test_masks_are_checked_once() -> None:
    masks = checked_masks([rectangle(0, 0, 2, 2), rectangle(1, 1, 3, 3)])
    assert checked_masks(masks) is masks
    chosen = masks[np.array([1])]
    assert checked_masks(chosen) is chosen


@given(counts=st.binary(max_size=12))
def test_bytes_are_refused_or_cover_the_mask(counts: bytes) -> None:
    try:
        (mask,) = checked_masks([{"size": [4, 4], "counts": counts}])
    except InvalidInput:
        return
    assert pixels_of(mask).size == 16


@pytest.mark.parametrize("counts", [b"o" * 40 + b"0", b"ooooooo0", b"0220o", b""])
def test_run_lengths_that_never_end_are_refused(counts: bytes) -> None:
    with pytest.raises(InvalidInput, match="a mask must be"):
        checked_masks([{"size": [4, 4], "counts": counts}])


def test_mean_of_masks_takes_no_memory_for_pixels() -> None:
    side = 40_000  # 1.6 billion pixels each
    left = mask_of([[0, 0, side / 2, 0, side / 2, side, 0, side]], side, side)
    whole = mask_of([[0, 0, side, 0, side, side, 0, side]], side, side)
    (half,) = checked_masks([{"size": [side, side], "counts": [0, side**2 // 2, side**2 // 2]}])
    assert mean_mask([left, left, whole]) == half == left
    assert mean_mask([left, whole, whole]) == whole
