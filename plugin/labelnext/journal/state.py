"""What is wrong with a state folder."""

from __future__ import annotations

import os
from pathlib import Path

from labelnext.errors import ConfigError, WriteFailed
from labelnext.support.files import FULL

#: The cure for a state folder that isn't this user's.
OWN_STATE = "set state: to a folder that you can write to, such as .labelnext-${USER}."


def no_state(folder: Path, error: OSError) -> ConfigError | WriteFailed:
    """The error for a state folder that can't be written: of a full disk one that passes."""
    if hint := FULL.get(error.errno or 0):
        why = error.strerror or error
        return WriteFailed(f"the state folder {str(folder)!r} has no room: {why}.", hint=hint)
    return ConfigError(
        f"state must be a writable folder; got {str(folder)!r} ({error.strerror or error}).",
        hint=OWN_STATE,
    )


def make_state(folder: Path) -> None:
    """Make a state folder, for this user alone, unless it is there.

    Raises:
        ConfigError: if it can't be written; WriteFailed if the disk is full.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise no_state(folder, error) from error


def check_leads_somewhere(state: Path) -> None:
    """Check that a state folder is no link to a disk that isn't mounted, or the like.

    Raises:
        ConfigError: if it is.
    """
    if os.path.islink(state) and not os.path.exists(state):
        raise ConfigError(
            f"state must be a folder; got {str(state)!r}, a link to {os.readlink(state)!r}, which "
            "isn't there.",
            hint="make that folder, or mount its disk.",
        )
