"""What people call the columns of ids, classes, certainties and boxes."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.tables.known_names import (
    ANSWERS,
    BOXES,
    CERTAINTIES,
    CLASS_LISTS,
    CORNERS,
    IDS,
    IMAGES,
    INDEXES,
    LOGITS,
    RANKED_CLASSES,
    SCORE_LISTS,
    SHAPES,
    SIDES,
    SIZES,
    SPANS,
    VECTORS,
)
from labelnext_adapters.files.tables.table_options import METADATA, NAMES, flat_columns, stated_in

_OF_MLFLOW = re.compile(r"/v\d+/score$")
_RANKED = re.compile(r"^(.*?)(\d+)(.*)$")
_RARE = ("\x01", "^", "~", ":", "#", "/", "\\", "*", "\x1f", "\xa6", "\xa7")  # between values
_TOP = re.compile(r"top_?(?:\d+|k|n)_")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def spelt(name: str) -> str:
    """A name as it is written between brackets of YAML: in quotes where it needs them.

    Example:
        >>> spelt("Feature Vector"), spelt("cat, big"), spelt("7")
        ('Feature Vector', '"cat, big"', '"7"')
    """
    import yaml

    try:
        bare = yaml.safe_load(f"[{name}]") == [name]
    except yaml.YAMLError:
        bare = False
    return name if bare else json.dumps(name, ensure_ascii=False)


ID_COLUMN = "item_id (or source.key, or source.predictions.key)"  # as users name it


def first_of(names: Iterable[str], wanted: Sequence[str]) -> str | None:
    """The first of the wanted names that there is, in any case, with any sign between words."""
    names = sorted(names, reverse=True)
    by_lower = {plain(name): name for name in names if plain(name)}
    by_lower |= {name.strip().lower(): name for name in names} | {name: name for name in names}
    return next((by_lower[name] for name in wanted if name in by_lower), None)


def list_of(names: Iterable[str], wanted: Sequence[str]) -> str | None:
    """The first of the wanted names, as `first_of`, also with the number of its values before it.

    Example:
        >>> list_of(["top5_labels", "top5_probs"], ("classes", "labels"))
        'top5_labels'
    """
    names = [*names]
    bare = {_TOP.sub("", plain(name)): name for name in names} | {name: name for name in names}
    found = first_of(bare, wanted)
    return found if found is None else bare[found]


@lru_cache(1 << 17)
def plain(name: str) -> str:
    """A name in lower case, without accents, with one _ between words.

    Example:
        >>> plain("Image Name"), plain("Confidence (%)"), plain("ImageID"), plain("Prédiction")
        ('image_name', 'confidence', 'image_id', 'prediction')
    """
    if not name.isascii():
        parts = unicodedata.normalize("NFD", name)
        name = "".join(one for one in parts if not unicodedata.combining(one))
    return re.sub(r"\W+", "_", _HUMPS.sub("_", name).lower()).strip("_")


def shape_in(names: Iterable[str]) -> str | None:
    """The name that shows that something was found in an image, other than corners.

    Example:
        >>> shape_in(["label", "coordinates"]), shape_in(["x", "y", "w", "h"]), shape_in(["x", "y"])
        ('coordinates', 'x', None)
    """
    names = [*names]
    sides = sides_in(names)
    return first_of(names, SHAPES if sides is None else (*SHAPES, sides[0]))


def sides_in(names: Iterable[str]) -> tuple[str, ...] | None:
    """The columns of a box as a corner or middle, and a size.

    Example:
        >>> sides_in(["x", "y", "w", "h"]), sides_in(["width", "height"])
        (('x', 'y', 'w', 'h'), None)
    """
    names = [*names]
    return next((one for one in SIDES if all(first_of(names, (side,)) for side in one)), None)


def corners_in(names: Iterable[str]) -> list[str] | None:
    """The columns of a box x1 y1 x2 y2."""
    for corners in CORNERS:
        columns = [first_of(names, (corner,)) for corner in corners]
        if all(columns):
            return [str(column) for column in columns]
    return None


def sizes_in(names: Iterable[str]) -> list[str] | None:
    """The columns with the width and the height of images; None if there are none.

    Example:
        >>> sizes_in(["img_width", "img_height", "width"])
        ['img_width', 'img_height']
    """
    names = [*names]
    pairs = ([first_of(names, (side,)) for side in sides] for sides in SIZES)
    return next(([*map(str, pair)] for pair in pairs if None not in pair), None)


def spans_in(names: Iterable[str]) -> tuple[str, str] | None:
    """The columns with the beginning and the end of a segment; None if there are none.

    Example:
        >>> spans_in(["File", "Start (s)", "End (s)"]), spans_in(["file", "end"])
        (('Start (s)', 'End (s)'), None)
    """
    known = {plain(name): name for name in names}
    return next(((known[a], known[b]) for a, b in SPANS if a in known and b in known), None)


def usual_id(names: Iterable[str], columns: Mapping[str, str | Sequence[str]]) -> str | None:
    """The column of ids: the one that `columns` names, item_id, or one of the usual names.

    Args:
        names: of all columns.
        columns: our names to the file's.
    """
    stated = columns.get("item_id", "item_id")
    if isinstance(stated, str) and (stated in names or "item_id" in columns):
        return stated
    taken = {*stated_in({ours: told for ours, told in columns.items() if ours != METADATA})}
    boxed = corners_in(names) or first_of(names, BOXES)
    return first_of(set(names) - taken, (*(IMAGES if boxed else ()), *IDS, *INDEXES))


def no_column(ours: str, stated: str, names: Sequence[str]) -> InvalidInput:
    """The error for a column that the file lacks.

    Args:
        ours: what the column is to be.
        stated: what it is said to be called.
        names: of the file's columns.
    """
    near = difflib.get_close_matches(stated, names, n=1)
    return InvalidInput(
        f"columns.{ours} must be one of {listed(names, 20)}; got {stated!r}.",
        hint=f"did you mean {near[0]!r}?" if near else None,
    )


def check_columns(names: Sequence[str], columns: Mapping[str, str | Sequence[str]]) -> None:
    """Check that a file has the columns that the configuration names one by one.

    Args:
        names: of all columns.
        columns: our names to the file's.

    Raises:
        InvalidInput: if one is missing.
    """
    for ours, stated in columns.items():
        if isinstance(stated, str) and ours != METADATA and stated not in names:
            raise no_column(ours, stated, names)


def id_column(names: Sequence[str], columns: Mapping[str, str | Sequence[str]]) -> str:
    """The column of ids: the one that `columns` names, item_id, or one of the usual names.

    Args:
        names: of all columns.
        columns: our names to the file's.

    Raises:
        InvalidInput: if there is none.
    """
    id_name = usual_id(names, columns)
    if id_name not in (None, *names):
        raise no_column(ID_COLUMN, str(id_name), names)
    if id_name is None:
        if (sign := _separating(names)) is not None:
            raise InvalidInput(
                f"the file must have a column item_id; got {names[0]!r:.60} as the only one.",
                hint=f"its values seem to be separated by another sign: set source.delimiter: "
                f"{json.dumps(sign)}.",
            )
        if spans_in(names):
            sure = "" if first_of(names, CERTAINTIES) else ", and one called score"
            raise InvalidInput(
                f"the file must have a column item_id; got {listed(names)}.",
                hint="each row seems to be a segment: add a column file with the recording or text "
                f"that it is of{sure}.",
            )
        judged = next((name for name in names if _OF_MLFLOW.search(name)), None)
        text = first_of(names, ("text", "sentence", "prompt", "input", "inputs"))
        more = "" if judged is None else f"; MLflow's {judged} may be the confidence"
        raise InvalidInput(
            f"the file must have a column item_id; got {listed(names)}.",
            hint=f"to use another column, set source.columns: {{item_id: {text or '…'}}}; if none "
            f"has ids, write one, such as pandas' index (to_csv(index=True)){more}.",
        )
    return id_name


def _separating(names: Sequence[str]) -> str | None:
    """The sign that separates names, where these were taken for one; None if there is none.

    Example:
        >>> _separating(["id^cat^dog"]), _separating(["id", "a^b^c"]), _separating(["id"])
        ('^', None, None)
    """
    signs = [sign for sign in _RARE if len(names) == 1 and sign in names[0].strip(sign)]
    return max(signs, key=names[0].count) if signs else None


def has_our_names(names: Sequence[str], columns: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether a table's predictions and ids are in columns that `columns` or our names tell.

    Args:
        names: of all columns.
        columns: our names to the file's.
    """
    known = {name for name in NAMES if name in columns or name in names}
    if flat_columns("probabilities", names):
        known.add("probabilities")
    predicted = {"probabilities", "objects"} & known or {"prediction", "confidence"} <= known
    answered = not columns.keys().isdisjoint({"confidence", "uncertainty"})
    only_vectors = "embedding" in known or bool(flat_columns("embedding", names))
    return "item_id" in known and bool(predicted or answered or only_vectors)


def answers_beside_scores(names: Iterable[str]) -> list[tuple[str, str]]:
    """The columns that have another one called as their score.

    Example:
        >>> answers_beside_scores(["text", "sentiment", "sentiment_score"])
        [('sentiment', 'sentiment_score')]
    """
    known = {plain(name): name for name in names}
    return [
        (known[said], known[f"{said}_{word}"])
        for said in known
        for word in ("score", "confidence", "prob", "probability")
        if f"{said}_{word}" in known and known[said] not in ("item_id", "label")
    ]


def check_one_model(names: Iterable[str]) -> None:
    """Refuse the answers of several models, each in a column called after it, beside its certainty.

    Raises:
        InvalidInput: if there are several.

    Example:
        >>> check_one_model(["id", "pred", "conf", "pred_old"])
    """
    known = {plain(name): name for name in names}
    answers = {
        known[sure]: name
        for said, name in known.items()
        for answer in (*ANSWERS, "label")
        for certainty in CERTAINTIES
        if (sure := _of_model(said, answer, certainty)) in known
    }
    if len({*answers.values()}) > 1:
        raise InvalidInput(
            f"one column must be the prediction; {listed(answers.values())} seem to be those of "
            "several models or questions.",
            hint="for a committee of models set source.columns: {prediction: "
            f"[{', '.join(answers.values())}], confidence: [{', '.join(answers)}]}}; for one of "
            "them, name its columns.",
        )


def _of_model(said: str, answer: str, certainty: str) -> str | None:
    """What a model's certainty is called if its answer is called so; None if it isn't.

    Example:
        >>> _of_model("pred_a", "pred", "conf"), _of_model("a_label", "label", "score")
        ('conf_a', 'a_score')
    """
    if said.startswith(f"{answer}_"):
        return f"{certainty}{said[len(answer) :]}"
    if said.endswith(f"_{answer}"):
        return f"{said[: -len(answer)]}{certainty}"
    return None


def is_ranked_class(name: str) -> bool:
    """Whether a column holds the first, second, … class by its name.

    Example:
        >>> is_ranked_class("pred_1"), is_ranked_class("top1_index"), is_ranked_class("prob_1")
        (True, True, False)
    """
    ranked = _RANKED.match(name.strip().lower())
    return ranked is not None and plain(ranked[1] + ranked[3]) in RANKED_CLASSES


@dataclass(frozen=True)
class ColumnRoles(Roles):
    """What columns hold by their usual names, or as `columns` says.

    Args:
        columns: our names to the file's.
    """

    columns: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def is_text(self, name: str) -> bool:
        """Whether a column is of ids or names, so that its values stay text."""
        named = {"item_id", "label", "group", "media", "votes", "prediction"}
        stated = (self.columns.get(one, one) for one in named)
        theirs = {one for one in stated if isinstance(one, str)}
        theirs.update(self.columns.get(METADATA, ()))
        lower, known = name.strip().lower(), {*IDS, *IMAGES, *ANSWERS, *INDEXES, "label"}
        if plain(name) and plain(name) in known:
            return True
        return name in theirs or lower in known or is_ranked_class(lower)

    def is_read(self, name: str) -> bool:
        """Whether a column is one that people use for predictions, or that `columns` names."""
        stated = any(name == one or name in one for one in self.columns.values())
        usual = {*NAMES, *VECTORS, *LOGITS, *CLASS_LISTS, *SCORE_LISTS, *ANSWERS, *CERTAINTIES}
        return stated or plain(name) in usual

    def may_lack(self, name: str) -> bool:
        """Whether an item does without a text here: it is only shown, or nothing reads it."""
        ours = {one for one, theirs in self.columns.items() if theirs == name} or {name}
        shown = ours <= {"media", "text"} or not (self.is_text(name) or self.is_read(name))
        return shown or self.is_said(name)

    def is_said(self, name: str) -> bool:
        """Whether a column is of labels or groups, without which an item still counts."""
        ours = {one for one, theirs in self.columns.items() if theirs == name} or {name}
        return ours <= {"label", "group"}

    def is_scores(self, name: str) -> bool:
        """Whether a column holds class scores by its name, or as `columns` says."""
        stated = self.columns.get("probabilities", "probabilities")
        usual = {*VECTORS, *LOGITS, *SCORE_LISTS}
        return name == stated or name in stated or plain(name) in usual

    def is_value(self, name: str) -> bool:
        """Whether a column is of metadata, whose values may be of any kind."""
        return name in self.columns.get(METADATA, ())

    def has_rule(self, name: str) -> bool:
        """Whether a column is of costs, or of numbers that items are labelled with."""
        return name in (self.columns.get(one, one) for one in ("cost", "label_number"))

    def id_among(self, names: Iterable[str]) -> str | None:
        """The column of ids; None if there is none."""
        return usual_id(list(names), self.columns)
