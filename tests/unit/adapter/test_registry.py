"""What is said of options that an adapter doesn't know or take."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext import open_adapter
from labelnext.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("files", {}, "option path of adapter files must be given."),
        (
            "files",
            {"pth": "x"},
            "option pth of adapter files is not a known key. Hint: did you mean 'path'?",
        ),
        (
            "label-studio",
            {"projct": 3},
            "option projct of adapter label-studio is not .*did you mean 'project'",
        ),
        (
            "fiftyone",
            {"datset": "d"},
            "option datset of adapter fiftyone is not .*did you mean 'dataset'",
        ),
        ("files", {"path": "x", "qqqq": 1}, r"option qqqq of adapter files is not a known key\.$"),
        (
            "fiftyone",
            {"dataset": "d", "embeddings": ["emb"]},
            r"option embeddings of adapter fiftyone must be text or null; got \['emb'\]\.$",
        ),
    ],
)
def test_a_wrong_option_is_named_and_an_unknown_one_with_the_nearest(
    name: str, source: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        open_adapter(name, **source)
