"""How do time and memory of every selection method grow with the pool?

    python -m benchmarks.growth [PICTURE]      # Linux: memory is read from /proc

Each run is a process of its own, after a small run that loads what is needed. 32 dimensions, 10
classes, a batch of 50, 20 labelled items, one thread. A method that is expected to take longer
than 20 seconds for the next size stops there. The exponents are fitted to sizes from 10⁴ on, or to
all where a method does not come that far.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from labelnext.selection import get_selection, selection_names

SIZES = (1_000, 10_000, 100_000, 1_000_000)
D, C, BUDGET, N_LABELLED = 32, 10, 50, 20
PATIENCE = 20.0  # seconds


def inputs(name: str, n: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    probabilities = rng.standard_exponential((n, C), dtype=np.float32)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    centers = rng.normal(scale=3, size=(C, D))
    columns = {
        "utilities": rng.random(n),
        "embeddings": (centers[rng.integers(C, size=n)] + rng.normal(size=(n, D))).astype("f4"),
        "labelled_embeddings": rng.normal(size=(N_LABELLED, D)).astype("f4"),
        "probabilities": probabilities,
    }
    return {need: columns[need] for need in get_selection(name).needs}


def status(key: str) -> float:
    """A line of the process's memory, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1024


def measure(name: str, n: int) -> None:
    """One run: processor seconds, and MiB at the peak beyond the inputs."""
    method = get_selection(name)
    options = {"n_clusters": C} if "n_clusters" in method.required else {}
    method.function(**inputs(name, 500), budget=BUDGET, **options)
    given = inputs(name, n)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, start = status("VmRSS"), time.process_time()
    method.function(**given, budget=BUDGET, **options)
    print(json.dumps([time.process_time() - start, max(0.0, status("VmHWM") - before)]))


def run(name: str, n: int) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--measure", name, str(n)]
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ | threads)
    found: list[float] = json.loads(done.stdout)
    return found


def exponent(sizes: list[int], values: list[float]) -> float:
    usable = [(n, v) for n, v in zip(sizes, values, strict=True) if v > 0]
    late = [pair for pair in usable if pair[0] >= 10_000]
    chosen = late if len(late) > 1 else usable
    if len(chosen) < 2:
        return float("nan")
    logs = np.log(np.array(chosen))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def main(picture: str | None) -> None:
    results: dict[str, tuple[list[int], list[list[float]]]] = {}
    print("| method | " + " | ".join(f"{n:,}" for n in SIZES) + " | time | memory |")
    print("|---|" + "---:|" * (len(SIZES) + 2))
    for name in selection_names():
        needs = get_selection(name).needs
        if not needs or "objects" in needs:
            continue  # auto is the method that it chooses; objects have no single size
        sizes, found = [], []
        for n in SIZES:
            growth = 10.0 if len(found) < 2 else max(10.0, found[-1][0] / max(found[-2][0], 1e-3))
            if found and growth * found[-1][0] > PATIENCE:
                break
            sizes.append(n)
            found.append(run(name, n))
        results[name] = sizes, found
        cells = [f"{seconds:.2g} s, {mib:.0f} MiB" for seconds, mib in found]
        cells += ["–"] * (len(SIZES) - len(cells))
        slopes = [exponent(sizes, [f[i] for f in found]) for i in (0, 1)]
        print(f"| {name} | {' | '.join(cells)} | {slopes[0]:.2f} | {slopes[1]:.2f} |", flush=True)
    if picture:
        draw(results, picture)


def draw(results: dict[str, tuple[list[int], list[list[float]]]], path: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(9, 4), sharex=True, layout="constrained")
    for i, (panel, what) in enumerate(zip(panels, ("seconds", "MiB at the peak"), strict=True)):
        for name, (sizes, found) in results.items():
            values = [max(f[i], (1e-4, 1)[i]) for f in found]  # memory below 1 MiB is noise
            panel.loglog(sizes, values, marker=".", label=name)
        panel.set(xlabel="items", ylabel=what)
        panel.grid(alpha=0.3)
    panels[1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1] if sys.argv[1:] else None)
