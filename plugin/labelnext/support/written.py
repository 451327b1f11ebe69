"""Scalars of a YAML file as they are written, and what YAML 1.2 makes of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

_WHOLE = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BARE_VARIABLE = re.compile(r"[{\[].*[^\"']\$\{")  # in a flow mapping or list, without quotes
_UNQUOTED = re.compile(r"(?:[:,\[{-]|^)\s*([@`%*&|>!])")  # what no plain value starts with
_SPECIAL = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}


class Written(str):
    """A scalar of a YAML file: its text, as it is written there.

    Attributes:
        line: of the file, from 1.
        plain: whether it has no quotes, and so may mean null, a boolean or a number.
        raw: as written, before environment variables were filled in.
    """

    __slots__ = ("line", "plain", "raw")

    line: int
    plain: bool
    raw: str

    @classmethod
    def of(cls, text: str, line: int, plain: bool, raw: str | None = None) -> Written:
        """A scalar of a file; `raw` is the text itself when None."""
        made = cls(text)
        made.line, made.plain, made.raw = line, plain, text if raw is None else raw
        return made

    @property
    def meaning(self) -> str | bool | int | float | None:
        """What YAML 1.2 (core schema) makes of it; dates, octals and base 60 stay text."""
        if not self.plain:
            return str(self)
        if self in ("", "~", "null", "Null", "NULL"):
            return None
        if self in ("true", "True", "TRUE", "false", "False", "FALSE"):
            return self[0] in "tT"
        number = number_of(self)
        return str(self) if number is None else number

    def __repr__(self) -> str:
        """As written; null for nothing."""
        if self.raw != self or isinstance(self.meaning, str):
            return repr(self.raw)
        return str(self) or "null"


def number_of(text: str) -> int | float | None:
    """The number that a text is in YAML 1.2; None if it is none."""
    if _WHOLE.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _DECIMAL.fullmatch(text):
        return float(text)
    return _SPECIAL.get(text.lower())


def meant(value: Any) -> Any:
    """A value without annotation, with every scalar of a file as YAML 1.2 means it."""
    if isinstance(value, Written):
        return value.meaning
    if isinstance(value, Mapping) and type(value) is not dict:
        return {meant(key): meant(entry) for key, entry in value.items()}
    if isinstance(value, list) and type(value) is not list:
        return [meant(entry) for entry in value]
    return value  # nothing that was read from a file


def hint_of_colons(value: object) -> str | None:
    """The hint for a text that YAML would read as a key and its value with one space more.

    Example:
        >>> hint_of_colons("adapter:files"), hint_of_colons("C:/data.csv")
        ('put a space after each colon, as in adapter: …', None)
    """
    found = re.match(r"([A-Za-z_]{2,40}):[^\s/]", value) if isinstance(value, str) else None
    return found and f"put a space after each colon, as in {found[1]}: …"


def hint_of_syntax(problem: str, lines: Sequence[str], error: object = None) -> str | None:
    """How to mend what isn't YAML; None if that isn't known.

    Args:
        problem: as the parser says it.
        lines: of the text, up to the one that is at fault.
        error: of the parser, which knows what it was reading.

    Example:
        >>> hint_of_syntax("did not find expected ',' or '}'", ["source: {path: ${HOME}/p.csv}"])
        'inside { } and [ ], write values with ${…} in quotes.'
    """
    if "escape character" in problem:
        return "in double quotes a backslash starts an escape; use single quotes, or / in paths."
    if lines and lines[-1].lstrip(" ").startswith("\t"):
        return "indent with spaces; YAML allows no tabs there."
    start = _UNQUOTED.search(lines[-1]) if lines else None
    if start and ("start any token" in problem or "expected alphabetic" in problem):
        return f"put a value that starts with {start[1]} in quotes."
    if "mapping values" in problem:
        return "put a value with a colon and a space in it in quotes, and indent keys alike."
    if "expected key" in problem:
        return "indent all keys of a section by the same number of spaces."
    if "expected ','" in problem and any(_BARE_VARIABLE.search(line) for line in lines[-2:]):
        return "inside { } and [ ], write values with ${…} in quotes."
    what = str(getattr(error, "context", None))
    opened = f"line {getattr(getattr(error, 'context_mark', None), 'line', 0) + 1}"
    if what.endswith("quoted scalar"):
        return f"close the quotation mark of {opened}."
    if mark := {"flow mapping": "{", "flow sequence": "["}.get(" ".join(what.split()[-2:])):
        return f"close the {mark} of {opened}, and put a comma after each entry in it."
    return None
