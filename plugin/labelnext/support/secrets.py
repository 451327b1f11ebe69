"""Keep secrets out of everything that is printed or stored."""

from __future__ import annotations

import re

_USER = re.compile(r"//[^/@\s]*@")
_QUERY = re.compile(
    r"([?&;][\w.-]*(?:token|key|secret|passw|pwd|signature|sig|auth|credential)[\w.-]*=)[^&;#\s'\"]+",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text without the users, passwords and tokens of URLs.

    Example:
        >>> masked("https://me:pw@host/a?token=abc&page=2")
        'https://***@host/a?token=***&page=2'
    """
    return _QUERY.sub(r"\1***", _USER.sub("//***@", text))
