"""What is said of options that an adapter doesn't know."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext import open_adapter
from labelnext.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("files", {}, "files option path must be given."),
        ("files", {"pth": "x"}, "files option pth is not a known key. Hint: did you mean path?"),
        ("label-studio", {"projct": 3}, "option projct is not a known key.*did you mean project"),
        ("fiftyone", {"datset": "d"}, "option datset is not a known key.*did you mean dataset"),
        ("files", {"path": "x", "qqqq": 1}, r"files option qqqq is not a known key\.$"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest(
    name: str, source: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        open_adapter(name, **source)
