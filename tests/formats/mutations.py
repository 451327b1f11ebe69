"""Broken variants of a file: of its bytes, or of the values in it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

#: Values of every type, to stand where another is meant.
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 0.5, 2**70, 10**400, 1e308, float("nan"), float("inf"), "", "x",
    "7", "0.5", "nan", "\0", "é" * 300, "a/b", "\ud800", [], {}, [[]], [None], [1, "x", None],
    [[[[]]]], {"": {}}, {"x": [1]}, [0.5] * 4, [1, 2, 3, 4, 5], [{"x": 1}], "[[1]]", "{", "../../x",
]  # fmt: skip
BYTES = [
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"{", b"]", b",", b"\n", b" ", b"-", b"9" * 400,
    b"1e999", b"<", b"&x;", b"<!DOCTYPE a>", b".", b"nan", b"\x80\x04",
]  # fmt: skip

Mutation = tuple[str, int, Any]


def places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with each of its keys."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict | list):
            for key in list(one) if isinstance(one, dict) else range(len(one)):
                yield one, key
                pending.append(one[key])


def changed(value: Any, how: str, position: int, odd: Any) -> Any:
    """A value with one of its members changed; it shares nothing with `odd`, nor with itself."""
    odd = copy.deepcopy(odd)
    places = list(places_of(value))
    if how == "whole" or not places:
        return odd
    container, key = places[position % len(places)]
    if how == "replace":
        container[key] = odd
    elif how == "remove":
        del container[key]
    elif how == "repeat" and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif how == "rename" and isinstance(container, dict):
        container[str(odd)[:20]] = container.pop(key)
    return value


def changed_bytes(data: bytes, how: str, position: int, odd: bytes) -> bytes:
    """Bytes with a few of them replaced, removed, put in or repeated."""
    at = position % (len(data) + 1)
    if how == "whole":
        return odd
    if how == "replace":
        return data[:at] + odd + data[at + max(len(odd), 1) :]
    if how == "remove":
        return data[:at] + data[at + 1 + position % 7 :]
    if how == "repeat":
        return data[:at] + data[max(at - 9, 0) :]
    return data[:at] if how == "cut" else data[:at] + odd + data[at:]


def changed_xml(data: bytes, how: str, position: int, odd: Any) -> bytes:
    """XML with the text, an attribute or the children of an element changed."""
    root = ElementTree.fromstring(data)
    elements = list(root.iter())
    element = elements[position % len(elements)]
    text = "".join(sign for sign in str(odd)[:300] if sign.isprintable())
    if how == "remove" and len(element):
        element.remove(element[0])
    elif how == "repeat" and len(element):
        element.append(element[0])
    elif how == "rename":
        element.tag = "x"
    elif element.attrib:
        element.set(list(element.attrib)[position % len(element.attrib)], text)
    else:
        element.text = text
    return ElementTree.tostring(root)


def mutated(path: Path, data: bytes, mutation: Mutation, *, by_value: bool) -> bytes:
    """The bytes of a file with one change.

    Args:
        path: of the file; its ending says how values are found.
        data: its bytes.
        mutation: how, where and with what.
        by_value: change a value, not bytes, where the file still can be read.
    """
    how, position, odd = mutation
    if by_value:
        try:
            if path.suffix == ".json":
                value = changed(json.loads(data), how, position, odd)
                return json.dumps(value).encode()
            if path.suffix == ".pkl":
                value = changed(pickle.loads(data), how, position, _array(odd, position))
                return pickle.dumps(value, position % 6)
            if path.suffix == ".xml":
                return changed_xml(data, how, position, odd)
        except (ValueError, ElementTree.ParseError, UnicodeError):
            pass
        if path.suffix in (".txt", ".csv", ".yaml"):
            words: list[Any] = data.decode().replace("\n", " \n ").replace(",", " , ").split(" ")
            words = changed(words, how, position, str(odd))
            text = " ".join(words) if isinstance(words, list) else str(words)
            return text.replace(" \n ", "\n").replace(" , ", ",").encode("utf-8", "replace")
    return changed_bytes(data, how, position, BYTES[position % len(BYTES)])


def _array(odd: Any, position: int) -> Any:
    """An odd value as an array, now and then."""
    makers: list[Callable[[Any], Any]] = [
        lambda v: v,
        np.asarray,
        lambda v: np.array([v, v], object),
    ]
    try:
        return makers[position % 3](odd)
    except (ValueError, OverflowError):
        return odd
