"""How fast is k-means, and how good? Against scikit-learn's mini-batches.

python -m benchmarks.k_means [n_points] [--cpu]

Inertia is compared too: a faster clustering that is worse does not count.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from benchmarks.contenders import ARGUMENTS, show, timed
from labelnext.selection.clustering import k_means

D, K = 512, 100


def made(kind: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if kind == "random":
        return rng.normal(size=(n, D)).astype(np.float32)
    if kind == "clustered":
        return (
            rng.normal(size=(200, D))[rng.integers(200, size=n)] + rng.normal(size=(n, D))
        ).astype(np.float32)
    factors = rng.normal(size=(n, 32)) * np.linspace(1, 0.2, 32)
    return (factors @ rng.normal(size=(32, D)) + 0.1 * rng.normal(size=(n, D))).astype(np.float32)


def inertia(points: np.ndarray, centers: np.ndarray, labels: np.ndarray) -> float:
    return sum(
        float(np.square(points[s : s + 4096] - centers[labels[s : s + 4096]]).sum(dtype=float))
        for s in range(0, len(points), 4096)
    )


def main(n: int) -> None:
    for kind in ("random", "clustered", "low-rank"):
        points, inertias = made(kind, n), {}

        def ours(points=points, inertias=inertias) -> None:
            inertias["labelnext"] = k_means(points, K)

        def mini(size: int, points=points, inertias=inertias) -> None:
            model = MiniBatchKMeans(K, batch_size=size, n_init=1, random_state=0).fit(points)
            inertias[f"MiniBatchKMeans, {size}"] = model.cluster_centers_, model.labels_

        contenders = {
            "labelnext": ours,
            "MiniBatchKMeans, 4096": lambda mini=mini: mini(4096),
            "MiniBatchKMeans, 1024": lambda mini=mini: mini(1024),
        }
        seconds = timed(contenders, 2)
        bars = [("labelnext", peer, 2) for peer in contenders if peer != "labelnext"]
        show(f"k-means, {n:,} × {D}, k = {K}, {kind}", seconds, bars)
        ours_ = inertia(points, *inertias["labelnext"])
        for peer in list(contenders)[1:]:
            ratio = ours_ / inertia(points, *inertias[peer])
            verdict = "meets" if ratio <= 1.01 else "ABOVE"
            print(f"  inertia against {peer}: {ratio:.4f}; {verdict} the bar of 1.01")


if __name__ == "__main__":
    main(int(ARGUMENTS[0]) if ARGUMENTS else 100_000)
