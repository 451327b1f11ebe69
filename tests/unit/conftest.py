"""What several unit tests share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

_HOOKS = Path(__file__).parents[2] / "hatch_build.py"


@pytest.fixture
def build_hooks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hooks of the build, which are loaded where hatchling is."""
    for room, name in (
        ("hatchling.metadata.plugin.interface", "MetadataHookInterface"),
        ("hatchling.builders.hooks.plugin.interface", "BuildHookInterface"),
    ):
        interface = ModuleType(room)
        setattr(interface, name, object)  # stands for a class
        monkeypatch.setitem(sys.modules, room, interface)
    spec = importlib.util.spec_from_file_location("hatch_build", _HOOKS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
