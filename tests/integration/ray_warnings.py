"""What Ray warns of in tests."""

from __future__ import annotations

import pytest

# Ray leaves sockets to the garbage collector, and warns of options of its own.
IGNORED = [
    pytest.mark.filterwarnings(f"ignore::{kind}")
    for kind in (
        "ResourceWarning",
        "DeprecationWarning",
        "FutureWarning",
        "pytest.PytestUnraisableExceptionWarning",
    )
]
