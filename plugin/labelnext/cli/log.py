"""The log file of a command: one line a record, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from labelnext.errors import ConfigError, LabelnextError, masked
from labelnext.support.files import check_writable
from labelnext.support.started import from_here

_OUR_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}([+-]\d\d:\d\d)? [A-Z]+ ")


def log_to(log_file: Path) -> None:
    """Append what is logged to a file.

    Raises:
        ConfigError: if it can't be written, or is a file of another kind.
    """
    _check_log(log_file)
    try:
        check_writable(log_file)
        handler = _LogFile(log_file, encoding="utf-8")
    except (OSError, LabelnextError) as error:
        why = str(error).removesuffix(".")
        raise ConfigError(f"log file must be writable; {why}.") from error
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s [%(process)d] %(message)s"))
    handler.addFilter(mask_record)
    logging.getLogger("labelnext").addHandler(handler)


class _LogFile(logging.FileHandler):
    """A log that ends in one line on standard error where the disk is full; the command goes on."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        logging.getLogger("labelnext").removeHandler(self)
        with suppress(OSError):
            self.close()
        name = from_here(self.baseFilename)
        sys.stderr.write(f"Warning: the log {name!r} ends here: {error.strerror}.\n")


class _OneLine(logging.Formatter):
    """Each record in a line, with the offset of its time from UTC: machines may share a log."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        return at.isoformat(" ", "milliseconds").replace(".", ",")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\n", "; ")


def _check_log(path: Path) -> None:
    if path.is_fifo():
        raise ConfigError(f"{str(path)!r} must be a file for a log, not a pipe.")
    if not path.is_file() or path.suffix == ".log":
        return
    with path.open("rb") as file:
        start = file.read(40)
    if start and not _OUR_LINE.match(start):
        raise ConfigError(
            f"{str(path)!r} must be one of labelnext's logs, end in .log, or not exist yet; it is "
            "another file.",
            hint="name a new file.",
        )


def mask_record(record: logging.LogRecord) -> bool:
    """A filter that masks secrets in a record, and keeps it."""
    record.msg, record.args = masked(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
    return True
