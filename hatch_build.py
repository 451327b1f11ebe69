"""The long description of the package index: the README, which must render outside the clone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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
