"""Which reduction of span scores saves labelled words, on made texts with named entities?

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.text_spans [SEEDS]

Texts of 10 to 400 words hold entities of four classes: names from lists, half of which also occur
as ordinary words, so that the words around them decide. A logistic regression of each word and its
neighbours predicts spans, each with the mean probability of its words. Every round, each contender
picks texts until 2,000 words are labelled, since people read words and not texts. Printed for each:
the mean F1 of spans over the rounds, minus that of random texts of the same seed; in how many seeds
it was better; and how long the texts were that it picked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from labelnext.acquisition import get_acquisition
from labelnext.pool import Objects, Pool

N_WORDS, N_NAMES, N_CLASSES = 1500, 40, 4
N_TEXTS, N_TESTS = 500, 150
FIRST, BUDGET, ROUNDS = 3000, 2000, 4  # words
FLOOR = 0.1

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Text:
    """Words and the class of each, 0 for none."""

    words: Ints
    classes: Ints


def make_texts(rng: np.random.Generator, n_texts: int, world: NDArray[np.int64]) -> list[Text]:
    """Texts whose lengths are log-normal, with about one entity in twelve words."""
    rank = np.arange(1, N_WORDS + 1)
    usual = (1 / rank) / (1 / rank).sum()
    texts = []
    for _ in range(n_texts):
        length = int(np.clip(rng.lognormal(3.8, 0.8), 10, 400))
        words = rng.choice(N_WORDS, length, p=usual)
        classes: Ints = np.zeros(length, dtype=np.int64)
        for place in range(2, length - 3, 6):
            if rng.random() < 0.5:
                continue
            kind = int(rng.integers(1, N_CLASSES + 1))
            size = int(rng.integers(1, 4))
            names = world[kind - 1]
            words[place : place + size] = names[(rng.random(size) ** 2 * len(names)).astype(int)]
            classes[place : place + size] = kind
            if rng.random() < 0.85:  # a word that goes with the class stands before it
                words[place - 1] = 20 * kind + rng.integers(6)
        texts.append(Text(words, classes))
    return texts


def make_world(rng: np.random.Generator) -> Ints:
    """The names of each class; half of them are ordinary words, too, and classes share some."""
    fresh = N_WORDS + np.arange(N_CLASSES * N_NAMES // 2).reshape(N_CLASSES, -1)
    shared = rng.integers(100, N_WORDS, (N_CLASSES, N_NAMES // 2))
    names = np.concatenate([fresh, shared], axis=1)
    return rng.permuted(names, axis=1)


def features(texts: list[Text]) -> csr_matrix:
    """One row a word: itself and its neighbours."""
    width = N_WORDS + N_CLASSES * N_NAMES
    padded = [np.concatenate([[width - 1], t.words, [width - 1]]) for t in texts]
    parts = [
        np.concatenate([p[1 + side : len(p) - 1 + side] for p in padded]) for side in (0, -1, 1)
    ]
    columns = np.stack([part + number * width for number, part in enumerate(parts)], axis=1)
    n = len(columns)
    return csr_matrix((np.ones(3 * n), columns.ravel(), np.arange(0, 3 * n + 1, 3)), (n, 3 * width))


def spans(classes: Ints) -> list[tuple[int, int, int]]:
    """Begin, end and class of each run of words of one class."""
    edges = np.flatnonzero(np.diff(classes)) + 1
    bounds = [0, *edges.tolist(), len(classes)]
    return [(a, b, int(classes[a])) for a, b in pairwise(bounds) if classes[a] > 0]


@dataclass(frozen=True)
class Words:
    """The words of texts, one after the other."""

    texts: list[Text]
    rows: csr_matrix
    begins: Ints

    @classmethod
    def of(cls, texts: list[Text]) -> Words:
        """Those of these texts."""
        return cls(texts, features(texts), np.cumsum([0, *(len(t.words) for t in texts)]))

    def where(self, chosen: list[int]) -> Ints:
        """The positions of the words of some texts."""
        return np.concatenate([np.arange(self.begins[i], self.begins[i + 1]) for i in chosen])


def train(words: Words, labelled: list[int]) -> LogisticRegression:
    """A classifier of words."""
    classes = np.concatenate([words.texts[i].classes for i in labelled])
    return LogisticRegression(C=10, max_iter=40, tol=1e-2).fit(
        words.rows[words.where(labelled)], classes
    )


Spans = list[tuple[int, int, int]]


def predict(model: LogisticRegression, words: Words) -> list[tuple[Spans, list[float]]]:
    """The spans of each text and their confidences."""
    p = model.predict_proba(words.rows)
    best, sure = model.classes_[p.argmax(axis=1)], p.max(axis=1)
    found = []
    for a, b in pairwise(words.begins.tolist()):
        own = spans(best[a:b])
        found.append((own, [float(sure[a + x : a + y].mean()) for x, y, _ in own]))
    return found


def f1(model: LogisticRegression, words: Words) -> float:
    """Of whole spans with their classes."""
    hits = n_found = n_true = 0
    for (own, _), text in zip(predict(model, words), words.texts, strict=True):
        found, true = set(own), set(spans(text.classes))
        hits, n_found, n_true = hits + len(found & true), n_found + len(found), n_true + len(true)
    return 2 * hits / max(n_found + n_true, 1)


def utilities(how: str, objects: Objects, lengths: Floats, rng: np.random.Generator) -> Floats:
    """What a contender makes of the spans of each text; larger is labelled first."""
    if how == "random":
        return rng.random(len(lengths))
    if how == "longest":
        return lengths
    reduce = {"sum / words": "sum", "sum / √spans": "sum"}.get(how, how)
    pool = Pool(range(len(lengths)), objects=objects)
    options = {"k": 3} if reduce == "mean_top_k" else {}
    _, found = get_acquisition("entropy").score(
        pool, of="objects", reduce=reduce, floor=FLOOR, no_objects="last", **options
    )
    if how == "sum / words":
        return found / lengths
    if how == "sum / √spans":
        return found / np.sqrt(np.maximum(objects.counts, 1))
    return found


CONTENDERS = ("longest", "sum", "sum / words", "sum / √spans", "mean", "mean_top_k", "max", "min")


def replay(how: str, seed: int) -> tuple[list[float], list[float]]:
    """F1 after each round, and the mean length of the texts of each."""
    rng = np.random.default_rng(seed)
    world = make_world(rng)
    words = Words.of(make_texts(rng, N_TEXTS, world))
    tests = Words.of(make_texts(rng, N_TESTS, world))
    lengths: Floats = np.diff(words.begins).astype(np.float64)
    labelled = take(rng.random(N_TEXTS), lengths, FIRST, set())
    scores, picked = [], []
    model = train(words, labelled)
    for _ in range(ROUNDS):
        found = predict(model, words)
        objects = Objects(
            np.cumsum([0, *(len(sure) for _, sure in found)]),
            np.array([s for _, sure in found for s in sure]),
            class_ids=np.array([c for some, _ in found for _, _, c in some], dtype=np.int64),
        )
        batch = take(utilities(how, objects, lengths, rng), lengths, BUDGET, {*labelled})
        picked.append(float(lengths[batch].mean()))
        labelled = [*labelled, *batch]
        model = train(words, labelled)
        scores.append(f1(model, tests))
    return scores, picked


def take(worth: Floats, lengths: Floats, budget: float, done: set[int]) -> list[int]:
    """The best texts until the budget of words is used up."""
    batch: list[int] = []
    for text in np.argsort(-worth, kind="stable").tolist():
        if text not in done and budget > 0:
            batch.append(text)
            budget -= lengths[text]
    return batch


def main(run: Callable[[str, int], tuple[list[float], list[float]]] = replay) -> None:
    """Print the table."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    base = {seed: run("random", seed) for seed in seeds}
    mean = np.mean([np.mean(scores) for scores, _ in base.values()])
    length = np.mean([np.mean(picked) for _, picked in base.values()])
    print(f"{'random':14} F1 {mean:.3f}              {length:5.0f} words a text")
    for how in CONTENDERS:
        gains, lengths = [], []
        for seed in seeds:
            scores, picked = run(how, seed)
            gains.append(np.mean(scores) - np.mean(base[seed][0]))
            lengths.append(np.mean(picked))
        wins = sum(gain > 0 for gain in gains)
        print(
            f"{how:14} {100 * np.mean(gains):+5.1f} points, {wins:2} of {len(gains):2} better "
            f"{np.mean(lengths):5.0f} words a text",
            flush=True,
        )


if __name__ == "__main__":
    main()
