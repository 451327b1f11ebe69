"""What holds for all tiers."""

from __future__ import annotations

import os
import secrets
import sys
from contextvars import ContextVar
from pathlib import Path

import pytest
from hypothesis import settings

from labelnext import errors
from labelnext.support import started
from tests.fuzz.campaign import (
    campaign as campaign,
)
from tests.fuzz.campaign import (
    pytest_collection_modifyitems as pytest_collection_modifyitems,
)
from tests.fuzz.campaign import (
    pytest_terminal_summary as pytest_terminal_summary,
)
from tests.ports import free_port

# A busy machine is slow, not wrong; and the invariances run over the whole table of functions.
settings.register_profile("labelnext", deadline=None, max_examples=40)
settings.load_profile("labelnext")

# As in an environment that is active: messages then say `labelnext …`, wherever the tests run.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# Ray would keep one in the home folder; a test run leaves nothing outside its own folders.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is remembered by the process; the tests of one process share no secrets."""
    monkeypatch.setattr(errors, "_secrets", {})


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    return free_port()


@pytest.fixture(autouse=True)
def no_configuration_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command notes its configuration for the process; here many commands share one."""
    monkeypatch.setattr(started, "_config", ContextVar("config", default=None))
