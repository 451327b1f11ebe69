"""Words for messages: counts that agree with their nouns."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The hint for an id that no item has.
NO_SUCH_ID = (
    "ids are the pool's: the platform's own, or what source.key names; the item may be deleted."
)


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun.

    Args:
        n: the count.
        noun: singular form.
        plural: plural form; `noun` with an s if None.

    Example:
        >>> counted(1, "object"), counted(0, "item"), counted(2000, "box", "boxes")
        ('1 object', '0 items', '2,000 boxes')
    """
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def some(names: Sequence[str], most: int = 10) -> str:
    """The first names, whole, and how many more there are.

    Example:
        >>> some(["a", "b", "c"]), some(["a", "b", "c"], most=2)
        ('a, b, c', 'a, b and 1 more')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def joined(names: Sequence[str]) -> str:
    """All names, with "and" before the last.

    Example:
        >>> joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])
        ('a', 'a and b', 'a, b and c')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


_PAST = {
    "write": "wrote", "create": "created", "update": "updated", "save": "saved", "copy": "copied",
    "register": "registered", "remove": "removed", "score": "scored", "clear": "cleared",
    "skip": "skipped", "upload": "uploaded", "add": "added", "delete": "deleted",
    "replace": "replaced", "change": "changed", "keep": "kept", "store": "stored",
    "move": "moved",
}  # fmt: skip
_VERBS = re.compile(rf"(^|, |; | and | or )({'|'.join(_PAST)})(?= )", re.IGNORECASE)


def done(step: str) -> str:
    """What a step did, from what it was going to do.

    Example:
        >>> done("Write 2 ranked items to a.csv"), done("Set x on 2 tasks, clear it on 1 task")
        ('Wrote 2 ranked items to a.csv', 'Set x on 2 tasks, cleared it on 1 task')
        >>> done("Keep the copies for 3 tasks, and change 1 score"), done("Store predictions")
        ('Kept the copies for 3 tasks, and changed 1 score', 'Stored predictions')
        >>> done("Keep 3 copies; remove the copies of 2 tasks, and move 1 task to another tab")
        'Kept 3 copies; removed the copies of 2 tasks, and moved 1 task to another tab'
    """

    def past(verb: re.Match[str]) -> str:
        word = _PAST[verb[2].lower()]
        return verb[1] + (word.capitalize() if verb[2][0].isupper() else word)

    return _VERBS.sub(past, step)


_SPOKEN = {
    "csv": "CSV", "coco": "COCO", "json": "JSON", "jsonl": "JSON Lines", "llm": "LLM",
    "label-studio": "Label Studio", "huggingface": "Hugging Face", "yolo": "YOLO", "voc": "VOC",
    "cvat": "CVAT", "npy": "NPY", "npz": "NPZ", "mmdetection": "MMDetection", "arrow": "Arrow",
    "parquet": "Parquet", "spacy": "spaCy", "roboflow": "Roboflow", "ultralytics": "Ultralytics",
    "megadetector": "MegaDetector", "darknet": "Darknet", "detectron2": "Detectron2",
    "labelme": "LabelMe", "tensorflow": "TensorFlow", "paddle": "Paddle",
    "fasttext": "fastText", "cloud": "cloud service's", "fiftyone": "FiftyOne", "via": "VIA",
    "voc-text": "VOC text",
}  # fmt: skip


def a_format(name: str) -> str:
    """The name of a file format with its article.

    Example:
        >>> a_format("llm"), a_format("csv"), a_format("ultralytics"), a_format("own-format")
        ('an LLM', 'a CSV', 'an Ultralytics', 'an own-format')
    """
    # Some names are said letter by letter: an L-L-M file.
    vowel = name[:1].lower() in "aeiou" or name in ("llm", "npy", "npz", "mmdetection")
    return f"{'an' if vowel else 'a'} {_SPOKEN.get(name, name)}"


def cut(text: str, most: int = 200) -> str:
    """The beginning of a text that is too long to be read in a line or two.

    Example:
        >>> cut("a.jpg"), cut("a" * 300, 4)
        ('a.jpg', 'aaa…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
