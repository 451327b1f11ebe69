"""Where in the configuration's file an option stands that an adapter refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from labelnext.config.document import parse
from labelnext.errors import LabelnextError

if TYPE_CHECKING:
    from labelnext.config.config import Config

_OPTION = re.compile(r"(?:source\.)?([a-z_]+)(?= (?:'[^']*' )?must\b)")


@contextmanager
def located(settings: Config) -> Iterator[None]:
    """Errors that begin with an option of the source name its file and line, too."""
    try:
        yield
    except LabelnextError as error:
        error.message = in_file(error.message, settings)
        error.args = (error.message,)
        raise


def in_file(message: str, settings: Config) -> str:
    """A message with the file, the line and the whole key of the option that it begins with.

    Args:
        message: as an adapter says it, which knows its options but no file.
        settings: the configuration; one of Python has no file, and its messages stay as they are.
    """
    found = _OPTION.match(message)
    if found is None or settings.path is None:
        return message
    try:
        document = parse(settings.path)
    except LabelnextError:  # it was changed since
        return message
    location = ("source", found[1])
    if document.at(location) is None:  # such as a word that is an option elsewhere
        return message
    return document.error(location, message[found.end() + 1 :]).message
