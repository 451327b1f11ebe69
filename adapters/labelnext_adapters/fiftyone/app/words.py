"""Messages for people who fill in a form: no keys of a configuration file."""

from __future__ import annotations

import re

from labelnext.errors import Busy, LabelnextError

# What a key is called in the App's forms.
_NAMES = {
    "acquisition.name": "the function",
    "acquisition.reduce": "how scores are combined",
    "acquisition.no_objects": "where samples without objects go",
    "selection.budget": "the budget",
    "selection.method": "the method",
    "source.gt_field": "the field of the labels",
    "source.label_tag": "the tag of labelled samples",
    "source.pred_field": "the field of the predictions",
    "send.field": "the field for the labels",
    "write.run": "the run name",
    "write.objects": "a score for each object",
}
_BARE = {
    "acquisition": "the function",
    "dedupe": "the near-duplicates",
    "groups_as_items": "whole groups",
    "min_distance": "the distance of near-duplicates",
    "similar_to": "the selected samples",
    "gt_field": "the field of the labels",
    "label_tag": "the tag of labelled samples",
    "per_group": "the limit for each group",
    "pred_field": "the field of the predictions",
    "quota_of": "the kind of quota",
}
_KEY = re.compile(
    r"(?<![\w./-])(source|acquisition|selection|write|send|review|report|replay)"
    r"(?:\.options)?\.([a-z_]+)\b(: ?[\w.]+)?"
)
_ADVICE = re.compile(r"; set [\w.]+: [^.]*")
_OF = re.compile(r" with of: \w+")
# What the library calls a pool of items is here a dataset of samples; names stay as they are.
_SAMPLES = {"pool": "dataset", "source": "dataset", "items": "samples", "item": "sample"}
_AN = re.compile(r"\b([Aa])n(?= item\b)")
_POOL = re.compile(rf"(?<![\w'\"./-])({'|'.join(_SAMPLES)})(?!\w|['\"-](?!s\b)|\.\w)")
_SETTINGS = re.compile(r" \((?:reduce|floor|no_objects) [^)]*\)")
# An underscore within a word means nothing in Markdown.
_MARKDOWN = re.compile(r"[\\`*\[\]<>~|#&!]|(?<![^\W_])_+|_+(?![^\W_])")
_CLASSES = re.compile(r"\bgt_field: (\w+) lets it learn")
_BUSY = (
    "Somebody is ranking, sending or fetching samples of this dataset at the moment. Nothing was "
    "changed here; try again when that is done."
)
_LEADING = re.compile(r"^(?:option )?([a-z_]+)(?= must\b)")


def in_words(error: LabelnextError | str) -> str:
    """What is wrong and what to do, without keys of a configuration file.

    A hint that goes by a key which the forms don't have is left out.

    Example:
        >>> in_words("write.run must be a name for a new field; got 'a b'.")
        "The run name must be a name for a new field; got 'a b'."
        >>> in_words("quota must sum to at most the budget of 5; got 6.")
        'Quota must sum to at most the budget of 5; got 6.'
        >>> in_words("Clipped 3 boxes of 2 items to the image.")
        'Clipped 3 boxes of 2 samples to the image.'
        >>> in_words("http://review.corp.org must answer.")
        'http://review.corp.org must answer.'
        >>> in_words("p1 − p2: gap between the two most likely classes")
        'p1 − p2: gap between the two most likely classes'
    """
    if isinstance(error, str):
        return _begun(plain(error))
    if isinstance(error, Busy):
        return _BUSY
    said, hint = _begun(plain(error.message)), error.hint
    if hint is None or any(not _known(match) for match in _KEY.finditer(hint)):
        return said
    return f"{said} {_begun(plain(hint))}"


def plain(text: str) -> str:
    """A message without keys, as part of a sentence.

    Example:
        >>> plain("margin needs class probabilities; set of: objects to score its objects")
        'margin needs class probabilities'
        >>> plain("bald needs several model versions, but the pool has one")
        'bald needs several model versions, but the dataset has one'
        >>> plain("gt_field: labels lets it learn from them")
        "'Already labelled: a label in labels' lets it learn from them"
    """
    text = _CLASSES.sub(r"'Already labelled: a label in \1' lets it learn", text)
    text = _OF.sub("", _SETTINGS.sub("", _ADVICE.sub("", text)))
    text = _AN.sub(r"\1", text)
    text = _POOL.sub(lambda match: _SAMPLES[match[1]], text)
    text = _KEY.sub(_called, text).replace("another the ", "another ")
    return _LEADING.sub(lambda match: _BARE.get(match[1], match[1].replace("_", " ")), text)


def verbatim(name: str) -> str:
    r"""A name as Markdown shows it, whatever it holds.

    Example:
        >>> print(verbatim("traffic_light"), verbatim("__background__"), verbatim("<b>*x*"))
        traffic_light \_\_background\_\_ \<b\>\*x\*
    """
    return _MARKDOWN.sub(lambda match: "".join(f"\\{sign}" for sign in match[0]), name)


def _begun(text: str) -> str:
    first = text.partition(" ")[0]
    named = any(sign in first[:-1] for sign in "_/.") or any(map(str.isdigit, first))
    return text if named else text[:1].upper() + text[1:]  # names, addresses and formulas stay


def _known(match: re.Match[str]) -> bool:
    return f"{match[1]}.{match[2]}" in _NAMES and match[3] is None


def _called(match: re.Match[str]) -> str:
    name = _NAMES.get(f"{match[1]}.{match[2]}", match[2].replace("_", " "))
    return name + (match[3] or "")
