"""An adapter that declares nothing still passes the contract of reading and writing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from labelnext.testing import AdapterContract
from tests.contract.old_adapter import OldAdapter


class TestOldAdapter(AdapterContract):
    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Any:
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        return OldAdapter(self.folder)

    def reopened(self, adapter: Any) -> Any:
        return OldAdapter(self.folder)

    def state(self, adapter: Any) -> Any:
        return {path.name: path.read_text() for path in self.folder.iterdir()}

    def served(self, adapter: Any) -> Sequence[str]:
        return (self.folder / "order.txt").read_text().split()
