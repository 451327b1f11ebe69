"""Vectors of texts: n-grams of words and of characters, by their frequency, in few dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RULES = "tf-idf of words 1-2 and characters 2-4, svd 128, unit length, rotated, 1"
"""What the vectors follow from, besides the texts; kept vectors of other rules aren't used."""

_DIMENSIONS, _TERMS, _MANY = 128, 100_000, 1000


def text_vectors(texts: Sequence[str]) -> NDArray[np.float16]:
    """Latent semantic vectors, in any language; texts with the same words are near each other.

    Of words one and two in a row, of characters two to four within a word. Terms of a single text
    are left out where there are 1,000 texts or more.

    Args:
        texts: not blank, in an order that follows from the items, such as that of their ids.

    Returns:
        Shape (n_texts, n_dimensions), at most 128, of length 1.

    References:
        Deerwester et al., Indexing by Latent Semantic Analysis (1990).

    Example:
        >>> rows = text_vectors(["a red bird", "two red birds", "the slow train"]).astype(float)
        >>> bool(rows[0] @ rows[1] > rows[0] @ rows[2])
        True
    """
    from scipy.fft import dct
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    terms = _terms(texts)
    n_dimensions = min(_DIMENSIONS, len(texts), terms.shape[1])
    # One thread: the last digits of sums depend on their number.
    with threadpool_limits(limits=1), np.errstate(invalid="ignore", divide="ignore"):
        svd = TruncatedSVD(n_dimensions, n_iter=4, random_state=0)
        vectors: NDArray[np.float64] = svd.fit_transform(terms).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    # The last dimensions are mostly noise, which standardising would blow up. A rotation keeps all
    # distances, and lets the dimensions vary alike.
    return np.asarray(dct(vectors, norm="ortho", axis=1), dtype=np.float16)


def _terms(texts: Sequence[str]) -> Any:
    """The weights of the terms, a sparse matrix of shape (n_texts, n_terms)."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    least = 2 if len(texts) >= _MANY else 1
    shared = {"sublinear_tf": True, "max_features": _TERMS, "dtype": np.float32}
    word = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
    within = {"analyzer": "char_wb", "ngram_range": (2, 4)}
    parts = []
    for kind in (word, within):
        for min_df in dict.fromkeys((least, 1)):
            vectorizer = TfidfVectorizer(min_df=min_df, **kind, **shared)
            try:
                parts.append(vectorizer.fit_transform(texts))
                break
            except ValueError:  # no term is left, such as words among signs
                continue
    return hstack(parts, format="csr")
