"""The default for detection on the made data set, three of the twenty seeds of the benchmark."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.detection.rounds import height, run_seed
from benchmarks.detection.shapes import Detector, make_images, mean_average_precision

from labelnext import Objects


def test_average_precision_by_hand() -> None:
    # A hit, a false positive and a hit: precision 1, 1/2, 2/3 at the hits 1/2 and 1 of recall.
    left, right, far = [0, 0, 0.2, 0.2], [0.8, 0.8, 1, 1], [0.4, 0.4, 0.6, 0.6]
    truth = Objects([0, 2], [1, 1], class_ids=[0, 0], boxes=[left, right])
    found = Objects([0, 3], [0.9, 0.8, 0.7], class_ids=[0, 0, 0], boxes=[left, far, right])
    assert mean_average_precision(found, truth) == pytest.approx((1 + 2 / 3) / 2 / 3)  # 3 classes


def test_detector_learns() -> None:
    images = make_images(np.random.default_rng(0), 80)
    few, many = (Detector(images, np.arange(n), 0).detect(images) for n in (3, 60))
    assert mean_average_precision(many, images.truth) > 0.5
    assert mean_average_precision(few, images.truth) < mean_average_precision(many, images.truth)


def test_default_for_detection_beats_random_at_equal_boxes() -> None:
    names = ["random", "auto"]
    gains = []
    for seed in range(3):
        curves = run_seed(seed, names)
        gains.append(height(curves[names[1]]) - height(curves[names[0]]))
    assert np.mean(gains) > 0.02
