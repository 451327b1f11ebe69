"""How fast are the selection methods, beside their peers?

    python -m benchmarks.selection k_center [random | clustered | low-rank | million]
    python -m benchmarks.selection badge | badge_memory | facility_location | typiclust
    python -m benchmarks.selection uncertainty_herding N D PICKS
    python -m benchmarks.selection max_herding N D PICKS

With --cpu it counts the seconds of the processor; see contenders.py.

Peers that would take minutes run for a part of the picks, and their time is scaled up; such rows
are marked with ~. Their environment is described in README.md.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.contenders import ARGUMENTS, CLOCK, show
from labelnext.selection import (
    badge,
    facility_location,
    k_center,
    typiclust,
    uncertainty_herding,
)
from labelnext.selection.facility_location import maximise_facility_location


def best_of(turns: int, contenders: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of the best turn of each; they take turns, so that noise meets all alike."""
    seconds = dict.fromkeys(contenders, np.inf)
    for _ in range(turns):
        for name, call in contenders.items():
            seconds[name] = min(seconds[name], once(call))
    return seconds


def once(call: Callable[[], object], share: float = 1.0) -> float:
    """Seconds of one call that does a share of the work, scaled to all of it."""
    start = CLOCK()
    call()
    return (CLOCK() - start) / share


# k-center


def points_of(kind: str, n: int, d: int) -> np.ndarray:
    """Random, 100 clusters, or 32 dimensions and some noise in d."""
    rng = np.random.default_rng(0)
    if kind == "random":
        return rng.normal(size=(n, d)).astype(np.float32)
    if kind == "clustered":
        centres = 3 * rng.normal(size=(100, d)).astype(np.float32)
        return centres[rng.integers(0, 100, n)] + rng.normal(size=(n, d)).astype(np.float32)
    noise = 0.1 * rng.normal(size=(n, d)).astype(np.float32)
    return (rng.normal(size=(n, 32)) @ rng.normal(size=(32, d)) / 6).astype(np.float32) + noise


def farthest_loop(points: np.ndarray, first: int, n_picks: int) -> list[int]:
    """One matrix-vector product a pick."""
    lengths = np.einsum("ij,ij->i", points, points)
    nearest = np.full(len(points), np.inf, dtype=points.dtype)
    picks = [first]
    while len(picks) < n_picks:
        found = points @ points[picks[-1]]
        found *= -2
        found += lengths
        found += lengths[picks[-1]]
        np.minimum(nearest, found, out=nearest)
        picks.append(int(nearest.argmax()))
    return picks


def radius(points: np.ndarray, picks: list[int]) -> float:
    """The largest distance to the nearest pick, from a second implementation."""
    centres = points[picks]
    lengths = np.einsum("ij,ij->i", centres, centres)
    largest = 0.0
    for block in np.array_split(points, max(1, len(points) // 5000)):
        found = (lengths - 2 * block @ centres.T).min(axis=1) + np.einsum("ij,ij->i", block, block)
        largest = max(largest, float(found.max()))
    return largest**0.5


def bench_k_center(kind: str, n: int, d: int, n_picks: int) -> None:
    """Against the loop, and where that is quick enough against the peers."""
    points = points_of(kind, n, d)
    none, large = points[:0], n > 100_000
    ours: list[int] = []
    cold = once(lambda: ours.extend(k_center(points, none, n_picks).tolist()))
    seconds = best_of(3, {"labelnext": lambda: k_center(points, none, n_picks)})
    part = 50 if large else n_picks
    theirs: list[int] = []
    loop = "~numpy, a product a pick" if large else "numpy, a product a pick"
    seconds[loop] = once(
        lambda: theirs.extend(farthest_loop(points, ours[0], part)), part / n_picks
    )
    times = {"random": 30, "clustered": 5} if large else {"random": 12, "clustered": 12}
    bars = [("labelnext", loop, times.get(kind, 8))]
    if not large:
        seconds |= k_center_peers(points, ours[0], n_picks)
        bars += [
            ("labelnext", "lightly-mundig", 20 if kind == "random" else 10),
            ("labelnext", "~scikit-activeml CoreSet", 50),
        ]
    title = f"k-center, n = {n:,}, d = {d}, k = {n_picks}, {kind} (cold {cold:.2f} s)"
    show(title, seconds, bars)
    same = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), part)
    print(f"  the same picks up to {same} of {part}; radius {radius(points, ours[:part]):.5f}")
    print(f"  and {radius(points, theirs):.5f} of the loop")


def k_center_peers(points: np.ndarray, first: int, n_picks: int) -> dict[str, float]:
    """Seconds of the peers, from the same first item."""
    from lightly_mundig import Selection
    from skactiveml.pool import CoreSet

    def lightly() -> None:
        selection = Selection()
        selection.add_diversifying_strategy(points, 1.0)
        selection.run_selection([first], len(points), n_picks)

    labels = np.full(len(points), np.nan)
    labels[first] = 0
    return {
        "lightly-mundig": once(lightly),
        "~scikit-activeml CoreSet": once(
            lambda: CoreSet().query(points, labels, batch_size=10), 10 / n_picks
        ),
    }


# BADGE


def bench_badge() -> None:
    """N = 50,000, 10 classes, d = 512, 500 picks."""
    from skactiveml.pool import Badge
    from small_text.utils.clustering import init_kmeans_plusplus_safe

    n, c, d, n_picks = 50_000, 10, 512, 500
    rng = np.random.default_rng(0)
    points = rng.normal(size=(n, d)).astype(np.float32)
    rows = rng.dirichlet(np.ones(c), n).astype(np.float32)
    picks = badge(rows, points, n_picks)
    seconds = best_of(
        5,
        {
            "labelnext": lambda: badge(rows, points, n_picks),
            "one matrix product, n · d · k": lambda: points @ points[picks].T,
        },
    )
    residuals = rows - np.eye(c, dtype=np.float32)[rows.argmax(axis=1)]
    gradients = np.empty((n, c * d), dtype=np.float32)
    np.einsum("ic,id->icd", residuals, points, out=gradients.reshape(n, c, d))

    def explicit(n_picks: int) -> list[int]:
        lengths = np.einsum("ij,ij->i", gradients, gradients)
        picks, nearest = [int(lengths.argmax())], np.full(n, np.inf)
        while len(picks) < n_picks:
            found = lengths - 2 * (gradients @ gradients[picks[-1]]) + lengths[picks[-1]]
            nearest = np.minimum(nearest, np.maximum(found, 0))
            picks.append(int(rng.choice(n, p=nearest / nearest.sum())))
        return picks

    seconds["~numpy, explicit gradients"] = once(lambda: explicit(50), 50 / n_picks)
    seconds["~small-text: its k-means++ of the gradients"] = once(
        lambda: init_kmeans_plusplus_safe(
            gradients,
            10,
            x_squared_norms=np.linalg.norm(gradients, axis=1),
            random_state=np.random.RandomState(0),
        ),
        10 / n_picks,
    )
    seconds["~scikit-activeml Badge"] = once(
        lambda: Badge(random_state=0).query(
            points, np.full(n, np.nan), clf=given_classifier(rows), fit_clf=False, batch_size=4
        ),
        4 / n_picks,
    )
    bars = [
        ("labelnext", "~numpy, explicit gradients", 80.0),
        ("labelnext", "~small-text: its k-means++ of the gradients", 400.0),
        ("labelnext", "~scikit-activeml Badge", 400.0),
        ("labelnext", "one matrix product, n · d · k", 1 / 3),
    ]
    show(f"BADGE, n = {n:,}, c = {c}, d = {d}, k = {n_picks}", seconds, bars)


def given_classifier(rows: np.ndarray):
    """A fitted classifier that answers with given probabilities."""
    from skactiveml.base import SkactivemlClassifier

    class Given(SkactivemlClassifier):
        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X):
            return rows

    return Given(classes=list(range(rows.shape[1])))


def bench_badge_memory() -> None:
    """N = 200,000, 80 classes, d = 512 in float32: peak memory of the process."""
    rng = np.random.default_rng(0)
    points = np.empty((200_000, 512), dtype=np.float32)
    rng.standard_normal(out=points, dtype=np.float32)
    rows = rng.random((200_000, 80), dtype=np.float32)
    rows /= rows.sum(axis=1, keepdims=True)
    seconds = once(lambda: badge(rows, points, 500))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nBADGE, n = 200,000, c = 80, d = 512, k = 500: {seconds:.2f} s, peak {peak:.2f} GiB")
    print("  of which the inputs are 0.44 GiB; the bar is 2 GiB")


# Facility location and TypiClust


def bench_facility_location(n: int) -> None:
    """A given similarity; 100 picks of 5,000 or 200 of 20,000."""
    import apricot
    import submodlib

    n_picks = 100 if n == 5000 else 200
    rng = np.random.default_rng(0)
    points = rng.normal(size=(n, 32))
    lengths = (points**2).sum(axis=1)
    similarities = points @ points.T
    similarities *= 2
    similarities -= lengths
    similarities -= lengths[:, None]
    similarities /= 64
    np.exp(similarities, out=similarities)
    picks: list[int] = []
    seconds = best_of(
        3, {"labelnext": lambda: picks.extend(maximise_facility_location(similarities, n_picks))}
    )
    selector = apricot.FacilityLocationSelection(n_picks, metric="precomputed", optimizer="lazy")
    if n == 5000:  # apricot compiles first
        selector.fit(similarities)
    seconds["apricot, lazy greedy"] = once(lambda: selector.fit(similarities))

    def lazy_in_c() -> None:
        function = submodlib.FacilityLocationFunction(
            n=n, mode="dense", sijs=similarities, separate_rep=False, pybind_mode="array"
        )
        function.maximize(n_picks, optimizer="LazyGreedy", show_progress=False)

    seconds["submodlib, lazy greedy"] = once(lazy_in_c)
    bars = [
        ("labelnext", "apricot, lazy greedy", 8.0),
        ("labelnext", "submodlib, lazy greedy", 15.0),
    ]
    show(f"facility location, n = {n:,}, k = {n_picks}", seconds, bars)
    for name, found in (("labelnext", picks[:n_picks]), ("apricot", selector.ranking)):
        print(f"  objective of {name}: {similarities[:, found].max(axis=1).sum():.6f}")


def bench_typiclust() -> None:
    """N = 50,000, d = 128, 100 picks, with the clustering."""
    from skactiveml.pool import TypiClust

    points = points_of("clustered", 50_000, 128)
    seconds = best_of(3, {"labelnext": lambda: typiclust(points, points[:0], 100)})
    seconds["scikit-activeml TypiClust"] = once(
        lambda: TypiClust(random_state=0, k=20).query(
            points, np.full(len(points), np.nan), batch_size=100
        )
    )
    show(
        "TypiClust, n = 50,000, d = 128, k = 100",
        seconds,
        [("labelnext", "scikit-activeml TypiClust", 4)],
    )


# Uncertainty herding


def bench_uncertainty_herding(n: int, d: int, n_picks: int) -> None:
    """Beside facility location without scores, which shares its loop; peak memory of both."""
    points = np.empty((n, d), dtype=np.float32)
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(100, d)).astype(np.float32)
    for start in range(0, n, 10_000):  # without copies of the whole
        block = points[start : start + 10_000]
        rng.standard_normal(out=block, dtype=np.float32)
        block += centres[rng.integers(0, 100, len(block))]
    doubt, none = rng.random(n), points[:0]
    seconds = {"labelnext": once(lambda: uncertainty_herding(points, none, doubt, n_picks))}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds["facility_location"] = once(lambda: facility_location(points, none, n_picks))
    title = f"uncertainty herding, n = {n:,}, d = {d}, k = {n_picks}, 100 clusters"
    show(title, seconds, [("labelnext", "facility_location", 1 / 1.3)])
    print(f"  peak of uncertainty herding {peak:.2f} GiB, inputs included")


def bench_max_herding(n: int, d: int, n_picks: int) -> None:
    """From points to picks, without scores, beside the peers; each makes its own similarities."""
    import apricot
    import submodlib
    from skactiveml.pool import MaxHerding
    from sklearn.metrics.pairwise import rbf_kernel

    points = points_of("clustered", n, d)
    width = float(d) ** 0.5
    gamma, none = 1 / (2 * width**2), points[:0]
    batches: dict[str, np.ndarray] = {}

    def ours() -> None:
        batches["labelnext"] = uncertainty_herding(points, none, None, n_picks, width=width)

    def by_apricot() -> None:
        selector = apricot.FacilityLocationSelection(n_picks, "precomputed", optimizer="lazy")
        batches["apricot"] = selector.fit(rbf_kernel(points, gamma=gamma).astype(float)).ranking

    def by_submodlib() -> None:
        function = submodlib.FacilityLocationFunction(
            n=n,
            mode="dense",
            sijs=rbf_kernel(points, gamma=gamma),
            separate_rep=False,
            pybind_mode="array",
        )
        made = function.maximize(n_picks, optimizer="LazyGreedy", show_progress=False)
        batches["submodlib"] = np.array([item for item, _ in made])

    few = n_picks if n <= 5000 else max(1, n_picks // 50)
    slow = ("" if few == n_picks else "~") + "scikit-activeml MaxHerding"

    def by_scikit_activeml() -> None:
        method = MaxHerding(normalize_samples=False, metric_dict={"gamma": gamma}, random_state=0)
        labels = np.full(n, np.nan)
        batches["scikit-activeml"] = method.query(points, labels, batch_size=few)

    apricot.FacilityLocationSelection(5, "precomputed", optimizer="lazy").fit(
        rbf_kernel(points[:100]).astype(float)
    )
    seconds = best_of(3, {"labelnext": ours})
    seconds["apricot, lazy greedy"] = once(by_apricot)
    seconds["submodlib, lazy greedy"] = once(by_submodlib)
    seconds[slow] = once(by_scikit_activeml, few / n_picks)
    bars = [("labelnext", peer, 10.0) for peer in seconds if peer != "labelnext"]
    show(f"max-herding, n = {n:,}, d = {d}, k = {n_picks}, 100 clusters", seconds, bars)
    for name, picks in batches.items():
        cover = rbf_kernel(points, points[picks], gamma=gamma).max(axis=1).sum()
        print(f"  objective of {name}, {len(picks)} picks: {cover:.4f}")


if __name__ == "__main__":
    what, *rest = ARGUMENTS
    if what == "k_center":
        if rest[0] == "million":
            for kind in ("random", "clustered"):
                bench_k_center(kind, 1_000_000, 128, 1000)
        else:
            bench_k_center(rest[0], 100_000, 512, 1000)
    elif what == "badge":
        bench_badge()
    elif what == "badge_memory":
        bench_badge_memory()
    elif what == "facility_location":
        bench_facility_location(int(rest[0]))
    elif what == "uncertainty_herding":
        bench_uncertainty_herding(*map(int, rest))
    elif what == "max_herding":
        bench_max_herding(*map(int, rest))
    else:
        bench_typiclust()
