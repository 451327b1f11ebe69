"""Handwritten digits for the demos: images, a classifier, and what it predicts.

They come with scikit-learn, so that no demo needs the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

N_LABELLED = 150
_N_COMPONENTS = 16
_SCALE = 8  # the digits are 8 by 8 pixels, too small to look at


@dataclass(frozen=True)
class Digits:
    """1,797 digits, of which a logistic regression saw 150.

    Attributes:
        images: shape (1797, 8, 8), in [0, 16].
        truth: the digit on each image.
        classes: names of the classes, in the order of the columns.
        labelled: shape (1797,): whether the model saw its label.
        logits: log probabilities, shape (1797, 10).
        embeddings: 16 principal components, shape (1797, 16).
        accuracy: of the model, on the digits that are not labelled.
    """

    images: NDArray[np.float64]
    truth: list[str]
    classes: list[str]
    labelled: NDArray[np.bool_]
    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    accuracy: float

    def names(self) -> list[str]:
        """The file name of each image."""
        return [f"digit-{number:04d}.png" for number in range(len(self.images))]

    def said(self) -> str:
        """What they are, for the person who runs a demo."""
        return (
            f"{len(self.images):,} digits, {N_LABELLED} labelled, the rest predicted by a "
            f"logistic regression on those ({self.accuracy:.1%} right)."
        )


def digits() -> Digits:
    """The digits, and what a model that saw only the labelled ones says of the others."""
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    known = load_digits()
    features: NDArray[np.float64] = known.data / 16
    seen, rest = train_test_split(
        np.arange(len(features)), train_size=N_LABELLED, stratify=known.target, random_state=0
    )
    model = LogisticRegression(max_iter=1000).fit(features[seen], known.target[seen])
    labelled = np.zeros(len(features), dtype=bool)
    labelled[seen] = True
    embeddings = PCA(_N_COMPONENTS, random_state=0).fit_transform(features)
    return Digits(
        known.images,
        [str(digit) for digit in known.target],
        [str(name) for name in model.classes_],
        labelled,
        model.predict_log_proba(features).astype(np.float32),
        embeddings.astype(np.float32),
        float(model.score(features[rest], known.target[rest])),
    )


def write_images(folder: Path, digits: Digits) -> list[Path]:
    """Each digit as a PNG file of 64 by 64 pixels, black on white; returns absolute paths."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder.resolve() / name for name in digits.names()]
    for path, pixels in zip(paths, digits.images, strict=True):
        grey = np.kron(255 - pixels * 255 / 16, np.ones((_SCALE, _SCALE))).astype(np.uint8)
        Image.fromarray(grey).save(path)
    return paths
