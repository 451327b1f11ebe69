"""Texts that models read or heard, which say how sure each piece is, but not each item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labelnext.errors import InvalidInput

#: Keys or columns that pieces of a text are under, and those beside them.
_PIECES = {
    "segments": {"text"},
    "words": {"text"},
    "chunks": {"text"},
    "rec_scores": {"rec_texts"},
    "word_segments": {"segments"},
    "Blocks": {"DocumentMetadata"},
    "diarization": set(),
}
_TESSERACT = {"level", "page_num", "block_num", "conf", "text"}
_OF_WHISPER = ("segments", "words")


def pieces_in(names: Iterable[str]) -> str | None:
    """The name that the pieces of a text are under; None if it is something else.

    Example:
        >>> pieces_in(["text", "segments", "language"]), pieces_in(["text", "label"])
        ('segments', None)
    """
    known = set(names)
    if known >= _TESSERACT:
        return "conf"
    return next((one for one, beside in _PIECES.items() if {one, *beside} <= known), None)


def refuse_transcripts(value: Mapping[str, Any]) -> None:
    """Refuse what was read or heard, of one item or by item: as PaddleOCR, EasyOCR or Whisper.

    Raises:
        InvalidInput: if it is such.
    """
    first = next(iter(value.values()), None)
    for record in (value, first):
        if isinstance(record, Mapping) and (name := pieces_in(record)) is not None:
            pieces = record[name]
            if isinstance(pieces, list) and pieces and isinstance(pieces[0], dict | float):
                raise transcript(name)
    if isinstance(first, list) and first and _is_line(first[0]):
        raise transcript(str(next(iter(value)))[:60])


def _is_line(line: Any) -> bool:
    """Whether a list has the four corners of a text, the text and its confidence."""
    if not isinstance(line, list) or len(line) not in (2, 3):
        return False
    corners, told = line[0], line[1] if len(line) == 2 else line[1:]
    drawn = isinstance(corners, list) and len(corners) == 4 and isinstance(corners[0], list)
    read = isinstance(told, list) and len(told) == 2 and isinstance(told[0], str)
    return drawn and read and isinstance(told[1], float)


def transcript(name: str) -> InvalidInput:
    """The error for pieces of a text.

    Args:
        name: what they are under.
    """
    whisper = " (of Whisper's segments, exp(avg_logprob))" if name in _OF_WHISPER else ""
    return InvalidInput(
        f"what a model read or heard has a confidence for each piece ({name}), but none for the "
        "item.",
        hint="write a row for each item, with item_id and, under confidence, the mean or the "
        f"lowest of its pieces{whisper}.",
    )
