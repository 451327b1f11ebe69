"""Made images of known difficulty, and a small detector that learns on them in a second.

Squares, discs and triangles, the last ones rare, on clutter; blur, noise and occlusion grow with an
image's difficulty. The detector slides a 16-pixel window, a two-layer network of scikit-learn gives
each one a class or background, and overlapping windows become one box.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, sobel
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from labelnext import Objects
from labelnext.acquisition.overlap import box_iou

SIDE, WINDOW, STRIDE = 64, 16, 4
CLASSES = ("square", "disc", "triangle")
SHARES = (0.6, 0.28, 0.12)
_CORNERS = np.arange(0, SIDE - WINDOW + 1, STRIDE)
WINDOWS = np.array([[x, y, x + WINDOW, y + WINDOW] for y in _CORNERS for x in _CORNERS]) / SIDE
_Y, _X = np.mgrid[:SIDE, :SIDE]


@dataclass(frozen=True)
class Images:
    """Images, what is on them, and what the detector sees of them.

    Attributes:
        features: shape (n, n_windows, n_features).
        truth: the boxes and classes.
        difficulty: shape (n,), in [0, 1].
    """

    features: np.ndarray
    truth: Objects
    difficulty: np.ndarray


def make_images(rng: np.random.Generator, n: int) -> Images:
    """Images with zero to five shapes each; most are easy, a third is hard."""
    difficulty = rng.beta(0.7, 1.2, n)
    features, boxes, kinds, counts = [], [], [], []
    for hard in difficulty:
        image, own, own_kinds = _image(rng, hard)
        features.append(_features(image))
        boxes += own
        kinds += own_kinds
        counts.append(len(own))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    truth = Objects(
        offsets,
        np.ones(len(kinds)),
        class_ids=np.array(kinds, dtype=np.int64),
        boxes=np.array(boxes).reshape(-1, 4),
    )
    return Images(np.stack(features), truth, difficulty)


def _image(
    rng: np.random.Generator, hard: float
) -> tuple[np.ndarray, list[list[float]], list[int]]:
    image = gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 6) * 0.8
    for _ in range(rng.poisson(1 + 4 * hard)):  # clutter: bars of any slope
        a, (x, y) = rng.uniform(0, np.pi), rng.uniform(0, SIDE, 2)
        image[np.abs((_X - x) * np.sin(a) - (_Y - y) * np.cos(a)) < 1] += rng.normal(0, 0.4)
    boxes: list[list[float]] = []
    kinds: list[int] = []
    for _ in range(rng.choice(6, p=[0.1, 0.2, 0.25, 0.2, 0.15, 0.1])):
        kind, size = int(rng.choice(3, p=SHARES)), rng.uniform(13, 18)
        x, y = rng.uniform(0, SIDE - size, 2)
        box = np.array([[x, y, x + size, y + size]]) / SIDE
        if boxes and box_iou(box, np.array(boxes)).max() > 0.1:
            continue
        image[_shape(kind, x, y, size)] += rng.uniform(0.7, 1.2) * (1 - 0.5 * hard)
        if rng.random() < hard * 0.6:  # a bar that hides a third of the shape
            top = int(y + rng.uniform(0, size * 2 / 3))
            image[top : top + int(size / 3), int(x) : int(x + size)] = rng.normal(0, 0.3)
        boxes.append(box[0].tolist())
        kinds.append(kind)
    image = gaussian_filter(image, 1.6 * hard) + rng.normal(0, 0.03 + 0.12 * hard, (SIDE, SIDE))
    return image, boxes, kinds


def _shape(kind: int, x: float, y: float, size: float) -> np.ndarray:
    u, v = (_X - x) / size, (_Y - y) / size
    inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    if kind == 1:
        return (u - 0.5) ** 2 + (v - 0.5) ** 2 < 0.25
    if kind == 2:
        return inside & (np.abs(u - 0.5) < v / 2)
    return inside


def _features(image: np.ndarray) -> np.ndarray:
    """Every window in half the resolution: brightness less its mean, and strength of edges."""
    edges = np.hypot(sobel(image, axis=0), sobel(image, axis=1)) / 4
    rows = []
    for plane in (image, edges):
        half = plane.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3))
        view = np.lib.stride_tricks.sliding_window_view(half, (WINDOW // 2, WINDOW // 2))
        rows.append(view[:: STRIDE // 2, :: STRIDE // 2].reshape(len(WINDOWS), -1))
    rows[0] = rows[0] - rows[0].mean(axis=1, keepdims=True)
    return np.concatenate(rows, axis=1).astype(np.float32)


class Detector:
    """A classifier of windows, trained on some images."""

    def __init__(self, images: Images, labelled: np.ndarray, seed: int) -> None:
        rng = np.random.default_rng(seed)
        rows, kinds = [], []
        for i in labelled:
            own = slice(*images.truth.offsets[i : i + 2])
            overlap = np.zeros((len(WINDOWS), 1))
            overlap = np.hstack([overlap, box_iou(WINDOWS, images.truth.boxes[own])])
            best = overlap.argmax(axis=1) - 1
            near = overlap.max(axis=1)
            far = np.flatnonzero(near < 0.3)
            chosen = np.concatenate(
                [np.flatnonzero(near >= 0.5), rng.choice(far, min(40, len(far)), replace=False)]
            )
            classes = np.append(images.truth.class_ids[own], len(CLASSES))  # −1 is background
            rows.append(images.features[i, chosen])
            kinds.append(np.where(near[chosen] >= 0.5, classes[best[chosen]], len(CLASSES)))
        self.model = MLPClassifier((32,), alpha=1e-2, max_iter=60, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(np.concatenate(rows), np.concatenate(kinds))

    def detect(self, images: Images) -> Objects:
        """Boxes, confidences, classes, class vectors without background, and the hidden layer."""
        n, n_windows, width = images.features.shape
        known = self.model.predict_proba(images.features.reshape(-1, width))
        vectors = np.zeros((n * n_windows, len(CLASSES) + 1))
        vectors[:, self.model.classes_] = known
        vectors = vectors[:, :-1].reshape(n, n_windows, -1)
        confidences = vectors.max(axis=2)
        hidden = images.features @ self.model.coefs_[0] + self.model.intercepts_[0]
        counts, boxes, rows, looks = [], [], [], []
        for i in range(n):
            kept, merged = _suppressed(confidences[i])
            counts.append(len(kept))
            boxes += merged
            rows.append(vectors[i, kept])
            looks.append(np.maximum(hidden[i, kept], 0))
        table = np.concatenate(rows)
        return Objects(
            np.concatenate([[0], np.cumsum(counts)]),
            table.max(axis=1, initial=0),
            class_ids=table.argmax(axis=1),
            boxes=np.array(boxes).reshape(-1, 4),
            probabilities=table,
            embeddings=np.concatenate(looks),
        )


_OVERLAP = box_iou(WINDOWS, WINDOWS)


def _suppressed(confidences: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
    """The best windows, each with the mean box of those it suppresses."""
    left = confidences >= 0.05
    kept, boxes = [], []
    while left.any():
        best = int(np.where(left, confidences, 0).argmax())
        near = left & (_OVERLAP[best] > 0.25)
        close = left & (_OVERLAP[best] > 0.5)
        boxes.append(np.average(WINDOWS[close], axis=0, weights=confidences[close]))
        kept.append(best)
        left &= ~near
    return kept, boxes


def mean_average_precision(found: Objects, truth: Objects) -> float:
    """Mean over the classes of the area under precision and recall, at IoU 0.5."""
    values = []
    for c in range(len(CLASSES)):
        seen = found.where(found.class_ids == c)
        there = truth.where(truth.class_ids == c)
        hits = np.zeros(len(seen.confidences), dtype=bool)
        for i in range(len(truth)):
            own = slice(*seen.offsets[i : i + 2])
            overlap = box_iou(seen.boxes[own], there.boxes[slice(*there.offsets[i : i + 2])])
            for row in np.argsort(-seen.confidences[own], kind="stable"):
                if overlap.shape[1] and overlap[row].max() >= 0.5:
                    hits[own.start + row] = True
                    overlap[:, overlap[row].argmax()] = 0
        order = np.argsort(-seen.confidences, kind="stable")
        true = np.cumsum(hits[order])
        precision = true / np.arange(1, len(true) + 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        n_there = len(there.confidences)
        values.append(float((envelope * hits[order]).sum() / max(n_there, 1)))
    return float(np.mean(values))
