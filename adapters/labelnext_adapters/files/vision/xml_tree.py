"""XML without entities: nothing in a file can stand for more than the file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.content import decoded, read_bytes

_DEEPEST = 50


def parse_xml(path: Path) -> Element:
    """The root of an XML file.

    Raises:
        InvalidInput: if it isn't XML, declares entities, or is nested too deep.
    """
    data = read_bytes(path)
    encoding = None  # as the file declares it
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # expat knows it by its mark, but not cut short
        encoding, data = "utf-8", decoded(data).encode("utf-8")
    builder, parser = TreeBuilder(), expat.ParserCreate(encoding)
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise InvalidInput(f"the XML must not be nested deeper than {_DEEPEST} levels.")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: Any) -> Any:
        raise InvalidInput("the XML must not declare entities.", hint="remove its DOCTYPE.")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code) or "not well-formed"
        raise InvalidInput(
            f"the file must be XML; line {error.lineno}, column {error.offset + 1}: {problem}."
        ) from error
    except (LookupError, ValueError) as error:  # an encoding that Python doesn't know
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"the file must be XML text; {error}.") from None
    return builder.close()
