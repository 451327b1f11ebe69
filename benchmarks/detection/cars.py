"""Does the top of the ranking hold the images that a real detector got wrong?

355 road images, Faster R-CNN boxes from stored predictions, and ground truth that no function sees.
An error is a false positive or a miss at confidence 0.5 and IoU 0.5, or a hit with IoU below 0.75.
Costs are one for opening an image and one for each box at confidence 0.3 or above to be checked.

    python -m benchmarks.detection.cars [FOLDER]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

from labelnext import Objects, Pool, get_acquisition, open_adapter
from labelnext.acquisition.costs import expected_costs
from labelnext.acquisition.matching import match_boxes
from labelnext.acquisition.overlap import box_iou

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "detections" / "cars"
CUT, IOU, TIGHT, N_RESAMPLES = 0.5, 0.5, 0.75, 500


def load(folder: Path) -> tuple[Pool, Objects]:
    """The detections as a pool, and the ground truth in the same order."""
    adapter = open_adapter(
        "files",
        path=folder / "detections.json",
        format="coco",
        images=folder / "ground_truth.json",
    )
    pool = adapter.read()
    listing = json.loads((folder / "ground_truth.json").read_text("utf-8"))
    images = {str(image["id"]): image for image in listing["images"]}
    rows: dict[str, list[list[float]]] = {name: [] for name in images}
    for a in listing["annotations"]:
        image, (x, y, w, h) = images[str(a["image_id"])], a["bbox"]
        size = np.array([image["width"], image["height"]] * 2)
        rows[str(a["image_id"])].append((np.array([x, y, x + w, y + h]) / size).tolist())
    boxes = [rows[name] for name in pool.item_ids.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(b) for b in boxes])])
    flat = np.array([box for b in boxes for box in b]).reshape(-1, 4)
    return pool, Objects(offsets, np.ones(len(flat)), boxes=flat)


def errors(found: Objects, truth: Objects) -> tuple[np.ndarray, np.ndarray]:
    """Of each image: misses plus false positives, and hits that are not tight."""
    wrong, loose = np.zeros(len(found), dtype=int), np.zeros(len(found), dtype=int)
    for i in range(len(found)):
        own = np.arange(*found.offsets[i : i + 2])
        own = own[found.confidences[own] >= CUT]
        there = truth.boxes[slice(*truth.offsets[i : i + 2])]
        iou = box_iou(found.boxes[own], there)
        rows, columns = match_boxes(iou, IOU)
        wrong[i] = len(own) + len(there) - 2 * len(rows)
        loose[i] = (iou[rows, columns] < TIGHT).sum()
    return wrong, loose


def rankings(pool: Pool) -> dict[str, np.ndarray]:
    """What each contender maximises; items in which nothing counts come last."""

    def of(name: str, **options: object) -> np.ndarray:
        return get_acquisition(name).score(pool, of="objects", no_objects="last", **options)[1]

    seed = get_acquisition("mean_object_confidence").score(pool)[1]
    out = {"mean object confidence, no objects first": seed}
    out["mean object confidence, no objects last"] = of("mean_object_confidence")
    for floor in (0.05, 0.1, 0.3, 0.4):
        for reduce in ("mean", "max", "sum", "mean_top_k"):
            label = f"entropy, {reduce}, floor {floor}"
            out[label] = of("entropy", reduce=reduce, floor=floor)
        label = f"entropy, sum per cost, floor {floor}"
        out[label] = of("entropy", reduce="sum", floor=floor, per_cost=True)
    out["number of boxes at 0.3"] = (expected_costs(pool.objects) - 1).astype(float)
    return out


def found_within(
    utilities: np.ndarray, n_errors: np.ndarray, costs: np.ndarray, share: float
) -> float:
    """Share of all errors in the best images whose costs make up the given share of all."""
    order = np.argsort(-utilities, kind="stable")
    taken = np.cumsum(costs[order]) <= share * costs.sum()
    return float(n_errors[order][taken].sum() / max(n_errors.sum(), 1))


def measures(n_errors: np.ndarray, costs: np.ndarray) -> list[Callable[..., float]]:
    one = np.ones(len(costs))
    return [
        lambda u, r: average_precision_score(n_errors[r] > 0, u[r]),
        lambda u, r: found_within(u[r], n_errors[r], one[r], 0.1),
        lambda u, r: found_within(u[r], n_errors[r], one[r], 0.2),
        lambda u, r: found_within(u[r], n_errors[r], costs[r], 0.1),
        lambda u, r: found_within(u[r], n_errors[r], costs[r], 0.2),
    ]


def table(pool: Pool, n_errors: np.ndarray, title: str) -> None:
    rng = np.random.default_rng(0)
    n, costs = len(pool), expected_costs(pool.objects)
    # No two utilities may tie in the order of the file, which follows the videos.
    noise = rng.random(n)
    resamples = [rng.integers(0, n, n) for _ in range(N_RESAMPLES)]
    parts = measures(n_errors, costs)
    print(f"\n{title}: {n_errors.sum()} errors in {(n_errors > 0).mean():.0%} of {n} images")
    print(f"{'':44}{'average precision':>22}   errors found in the first")
    heads = ("10 % images", "20 % images", "10 % cost", "20 % cost")
    print(f"{'':44}{'[95 % interval]':>22} " + "".join(f"{h:>20}" for h in heads))
    random = [np.mean([m(rng.random(n), r) for r in resamples[:200]]) for m in parts]
    shares = "".join(f"{v:>11.0%}{'':9}" for v in random[1:])
    print(f"{'random':44}{random[0]:>10.2f}{'':13}{shares}")
    for name, utilities in rankings(pool).items():
        ranks = np.empty(n)
        finite = np.nan_to_num(utilities, neginf=-1e9, posinf=1e9)
        ranks[np.lexsort((noise, finite))] = np.arange(n)
        cells = []
        for i, measure in enumerate(parts):
            value = measure(ranks, np.arange(n))
            low, high = np.percentile([measure(ranks, r) for r in resamples], [2.5, 97.5])
            cells.append(
                f"{value:>10.2f} [{low:.2f}, {high:.2f}]"
                if i == 0
                else f"{value:>8.0%} [{low:.0%}, {high:.0%}]".rjust(20)
            )
        print(f"{name:44}{cells[0]:>22} " + "".join(cells[1:]))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    pool, truth = load(folder)
    wrong, loose = errors(pool.objects, truth)
    table(pool, wrong, "Misses and false positives")
    table(pool, wrong + loose, "The same and loose boxes")


if __name__ == "__main__":
    main()
