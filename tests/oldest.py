"""Prints the oldest allowed version of every dependency, as constraints for pip.

python tests/oldest.py label-studio large > constraints.txt    # of the core and these extras
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LOWEST = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?>=([0-9.]+)")


def oldest(extras: list[str]) -> list[str]:
    """Constraints such as ``numpy==1.26.*``; of a stated minor version, the newest patch.

    Args:
        extras: names of extras, besides the dependencies of the core.

    Raises:
        ValueError: if a dependency has no lower bound.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [project["optional-dependencies"][extra] for extra in extras]
    lines = []
    for requirement in sum(named, project["dependencies"]):
        lowest = _LOWEST.match(requirement)
        if lowest is None:
            raise ValueError(f"requirement must have a lower bound; got {requirement!r}.")
        lines.append(f"{lowest[1]}=={lowest[2]}.*")
    return lines


if __name__ == "__main__":
    print("\n".join(oldest(sys.argv[1:])))
