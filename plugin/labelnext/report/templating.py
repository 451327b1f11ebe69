"""HTML pages whose policy lets nothing be fetched or run."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from typing import TYPE_CHECKING

from labelnext.support.words import counted, done, some

if TYPE_CHECKING:
    import jinja2

#: Embeddings, overrides and isolates of the direction in which text runs.
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


@functools.cache
def templates() -> jinja2.Environment:
    """Our templates; what is filled in is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("labelnext", "report/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(counted=counted, done=done, some=some)
    return environment


def filled_template(name: str, **values: object) -> str:
    """An HTML page: the named template, filled with escaped values.

    Its content security policy allows our own style sheet and script, by their hashes, and the
    pictures inside the page, and nothing else: whatever the data hold, a browser runs no other
    script and asks no server, and shows texts in their own order: characters that turn it round
    are replaced.

    Args:
        name: of the template.
        values: what the template names.
    """
    from markupsafe import Markup

    style, script = (
        Markup(templates().get_template(asset).render())  # noqa: S704  # files of ours
        for asset in ("style.css", "script.js")
    )
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hashed(style)}; "
        f"script-src {_hashed(script)}; base-uri 'none'; form-action 'none'"
    )
    page = templates().get_template(name)
    text = page.render(style=style, script=script, policy=policy, **values)
    text = _DIRECTIONS.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.encode(errors="backslashreplace").decode()  # paths may hold bytes that aren't text


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
