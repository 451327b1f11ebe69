"""What the build adds: compiled loops, and the README as the package index can show it."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


def long_description(readme: str, repository: str) -> str:
    """The README without its pictures, and with links into the repository.

    Args:
        readme: the text of README.md.
        repository: address of the repository.
    """
    text = re.sub(r"(?m)^!\[[^\]]*\]\([^)]*\)\n\n?", "", readme)
    return re.sub(r"\]\((?!\w+:|#)([^)]+)\)", rf"]({repository}/blob/main/\1)", text)


class LongDescription(MetadataHookInterface):
    """Fills in `project.readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the long description."""
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        text = long_description(readme, metadata["urls"]["Repository"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


LOOPS = Path(__file__).parent / "plugin/labelnext/support/loops"
#: Tried in turn: a copy of each loop for each kind of processor, where the system can choose.
#: Without the tuning, GCC clears and copies small arrays by instructions that start slowly.
FLAGS = (["-DBY_PROCESSOR", "-mprefer-vector-width=512", "-mtune=skylake-avx512"], [])


def compile_loops(folder: Path) -> bool:
    """Compile loops.c to loops.so; False without a compiler.

    Args:
        folder: holds loops.c.
    """
    made = folder / "loops.so"
    made.unlink(missing_ok=True)
    compiler = os.environ.get("CC", "cc").split()
    told = runpy.run_path(str(LOOPS / "sources.py"))["fingerprint"](folder)
    # No product is fused with a sum: then every processor gives the same digits.
    command = [*compiler, "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-o", str(made)]
    command.append(f'-DFINGERPRINT="{told}"')
    for flags in FLAGS:
        try:
            done = subprocess.run(
                [*command, *flags, str(folder / "loops.c")], capture_output=True, check=False
            )
        except OSError:
            return False
        if done.returncode == 0:
            return True
    return False


class CompiledLoops(BuildHookInterface):
    """Adds the loops to a wheel, which is then for this platform; without a compiler, for all."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile them."""
        if compile_loops(LOOPS):
            platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
            build_data.update(tag=f"py3-none-{platform}", pure_python=False)
            build_data["artifacts"].append(str((LOOPS / "loops.so").relative_to(self.root)))
        else:
            self.app.display_warning("labelnext's loops were not compiled: numpy will run them.")
