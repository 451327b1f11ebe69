"""Adapters are opened by name, with options that are checked."""

from __future__ import annotations

import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.errors import ConfigError


def test_an_unknown_option_says_which_was_probably_meant() -> None:
    with pytest.raises(ConfigError, match="option pth of adapter files is not a known key") as said:
        open_adapter("files", pth="x")
    assert said.value.hint == "did you mean 'path'?"
    with pytest.raises(ConfigError, match="option path of adapter files must be given"):
        open_adapter("files")
