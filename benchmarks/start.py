"""How long does the command line take to start?

python -m benchmarks.start

The best of ten new processes counts, in processor seconds: on a quiet machine they are those of
the clock, and a busy one disturbs them less.
"""

from __future__ import annotations

import resource
import subprocess
import sys

BARS = {
    "labelnext --help": (["-c", "from labelnext.cli import main; main()", "--help"], 0.25),
    "import labelnext": (["-c", "import labelnext"], 0.3),
    "labelnext.rank, labelnext.Pool": (["-c", "import labelnext as l; l.rank, l.Pool"], None),
    "python alone": (["-c", "pass"], None),
}


def _seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def main(turns: int = 10) -> None:
    best = dict.fromkeys(BARS, float("inf"))
    for _ in range(turns):
        for name, (arguments, _bar) in BARS.items():
            start = _seconds()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            best[name] = min(best[name], _seconds() - start)
    for name, (_arguments, bar) in BARS.items():
        said = "" if bar is None else f"; {'meets' if best[name] < bar else 'ABOVE'} {bar} s"
        print(f"{name:<34}{best[name]:.3f} s{said}")


if __name__ == "__main__":
    main()
