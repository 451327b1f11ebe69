"""Documents of spaCy, in its binary and its JSON form, without spaCy itself."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from labelnext.errors import InvalidInput, MissingExtra
from labelnext.support.started import how_to_install
from labelnext_adapters.files.content.oddities import Unusable, unbroken
from labelnext_adapters.files.content.unpacked import limit_of

_SPAN = struct.Struct(">QQQllll")  # id, knowledge base id, label, start, end, characters
#: Labels that spaCy knows by a number of its own rather than by their hash.
_KNOWN = {
    380: "PERSON", 381: "NORP", 382: "FACILITY", 383: "ORG", 384: "GPE", 385: "LOC",
    386: "PRODUCT", 387: "EVENT", 388: "WORK_OF_ART", 389: "LANGUAGE", 390: "LAW", 391: "DATE",
    392: "TIME", 393: "PERCENT", 394: "MONEY", 395: "QUANTITY", 396: "ORDINAL", 397: "CARDINAL",
}  # fmt: skip
_BLOCK = 1 << 24  # bytes decompressed at once
_64 = (1 << 64) - 1


@dataclass(frozen=True)
class Document:
    """What spaCy says of a text.

    Attributes:
        cats: categories with their scores.
        spans: by group: label and score of each span, score None if there is none.
        user_data: what the user stored with it.
    """

    cats: Mapping[Any, Any] = field(default_factory=dict)
    spans: Mapping[str, list[tuple[Any, Any]]] = field(default_factory=dict)
    user_data: Mapping[Any, Any] = field(default_factory=dict)


def read_docbin(path: Path) -> list[Document]:
    """The documents of a DocBin.

    Raises:
        MissingExtra: if msgpack is not installed.
        InvalidInput: if the file is no DocBin.
    """
    try:
        import msgpack
    except ImportError as error:
        raise MissingExtra(
            "reading a .spacy file needs msgpack, which is not installed.",
            hint=how_to_install("labelnext[spacy]"),
        ) from error

    def unpacked(data: Any) -> Any:
        if not isinstance(data, bytes):
            raise InvalidInput("a .spacy file must hold a DocBin; it holds something else.")
        return msgpack.unpackb(data, use_list=False, strict_map_key=False)

    stored = unpacked(_inflated(path.read_bytes()))
    if not isinstance(stored, Mapping) or not {"lengths", "strings"} <= stored.keys():
        raise InvalidInput("a .spacy file must hold a DocBin; it holds something else.")
    lengths, strings = stored["lengths"], stored["strings"]
    if not isinstance(lengths, bytes) or not isinstance(strings, tuple):
        raise InvalidInput("a .spacy file must hold a DocBin; it holds something else.")
    n_docs = len(lengths) // 4
    names = {string_id(text): text for text in strings if isinstance(text, str)}
    names.update(_KNOWN)
    columns = [_column(stored, name, n_docs) for name in ("cats", "span_groups", "user_data")]
    documents = []
    for cats, groups, user_data in zip(*columns, strict=True):
        spans: dict[str, list[tuple[Any, Any]]] = {}
        for name, group in _groups(unpacked(groups) if groups else {}, unpacked):
            spans.setdefault(name, []).extend(_spans(group, names))
        user_values = unpacked(user_data) if user_data else {}
        documents.append(
            Document(
                cats if isinstance(cats, Mapping) else {},
                spans,
                user_values if isinstance(user_values, Mapping) else {},
            )
        )
    return documents


def _inflated(data: bytes) -> bytes:
    stream, out, rest = zlib.decompressobj(), bytearray(), data
    limit = limit_of(len(data))
    try:
        while rest:
            out += stream.decompress(rest, _BLOCK)
            limit.check("a .spacy file", len(out), more=True)
            rest = stream.unconsumed_tail
    except zlib.error as error:
        raise InvalidInput("a .spacy file must be whole; decompressing it failed.") from error
    if not stream.eof:
        raise InvalidInput("a .spacy file must be whole; its end is missing.")
    return bytes(out)


def _column(stored: Mapping[Any, Any], name: str, n_docs: int) -> Sequence[Any]:
    """One value for each document; None where the file has none."""
    values = stored.get(name)
    if not isinstance(values, tuple) or not values:
        return [None] * n_docs
    if len(values) != n_docs:
        raise InvalidInput(f"{name} must be one for each of the {n_docs} documents.")
    return values


def _groups(stored: Any, unpacked: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """The span groups of a document with their names."""
    if isinstance(stored, Mapping):  # from the group in bytes to its names
        pairs = [(str(name), data) for data, names in stored.items() for name in _listed(names)]
    else:  # older versions: the groups alone
        pairs = [("", data) for data in _listed(stored)]
    for name, data in pairs:
        group = unpacked(data)
        if isinstance(group, Mapping):
            yield name or str(group.get("name", "")), group


def _listed(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        raise InvalidInput(f"the spans of a document must be a list; got {value!r:.40}.")
    return value


def _spans(group: Mapping[Any, Any], names: Mapping[int, str]) -> list[tuple[Any, Any]]:
    attributes = group.get("attrs")
    scores = _array(attributes.get("scores")) if isinstance(attributes, Mapping) else None
    spans = []
    for index, data in enumerate(_listed(group.get("spans") or ())):
        if not isinstance(data, bytes):
            raise InvalidInput(f"a span must be stored in bytes; got {data!r:.40}.")
        label = names.get(_SPAN.unpack(data)[2])
        score = None if scores is None or index >= len(scores) else scores[index]
        spans.append((label, score))
    return spans


def _array(stored: Any) -> Any:
    """An array as spaCy's msgpack stores it; plain sequences as they are."""
    if isinstance(stored, Mapping) and stored.get(b"nd"):
        kind = np.dtype(str(stored.get(b"type")))
        if kind.kind not in "fiu":
            raise InvalidInput(f"scores of spans must be numbers; got the type {kind}.")
        if not isinstance(stored.get(b"data"), bytes):
            raise InvalidInput("scores of spans must be stored in bytes.")
        return np.frombuffer(stored[b"data"], dtype=kind).ravel()
    return stored if isinstance(stored, tuple) else None


def string_id(text: str) -> int:
    """The number by which spaCy refers to a text: MurmurHash64A with the seed 1.

    Example:
        >>> string_id("hello")
        5983625672228268878

    References:
        Appleby, MurmurHash2, 64-bit version for 64-bit platforms (2008).
    """
    data, factor = text.encode("utf-8"), 0xC6A4A7935BD1E995
    if not data:
        return 0
    value = 1 ^ (len(data) * factor & _64)
    whole = len(data) // 8 * 8
    for (word,) in struct.iter_unpack("<Q", data[:whole]):
        mixed = word * factor & _64
        mixed = (mixed ^ mixed >> 47) * factor & _64
        value = (value ^ mixed) * factor & _64
    if rest := data[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * factor & _64
    value = (value ^ value >> 47) * factor & _64
    return value ^ value >> 47


def document_of(record: Any) -> Document:
    """A document as `Doc.to_json` and Prodigy write it.

    Raises:
        Unusable: if it is none.
    """
    if not isinstance(unbroken(record), Mapping):
        raise Unusable(f"a document must be an object; got {record!r:.60}")
    cats, spans = record.get("cats"), record.get("spans")
    groups: dict[str, list[tuple[Any, Any]]] = {}
    if isinstance(spans, list):
        spans = {"spans": spans}
    for name, group in spans.items() if isinstance(spans, Mapping) else ():
        if not isinstance(group, list):
            raise Unusable(f"spans must be a list; got {group!r:.60}")
        parts = [one for one in group if isinstance(one, Mapping)]
        groups[str(name)] = [(one.get("label"), one.get("score")) for one in parts]
    return Document(cats if isinstance(cats, Mapping) else {}, groups, record)
