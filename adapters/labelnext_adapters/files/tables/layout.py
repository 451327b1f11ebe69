"""What the columns of a table mean, where they don't have our names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.arrow import plain_type
from labelnext_adapters.files.tables.cells import stored
from labelnext_adapters.files.tables.column_names import (
    ANSWERS,
    CERTAINTIES,
    IDS,
    INDEXES,
    SIZES,
    answers_beside_scores,
    check_columns,
    check_one_model,
    corners_in,
    first_of,
    has_our_names,
    id_column,
    plain,
)
from labelnext_adapters.files.tables.guessed_ids import check_guess
from labelnext_adapters.files.tables.long_rows import (
    detections,
    grouped_scores,
    is_boxed,
    of_boxes,
    one_row_each,
)
from labelnext_adapters.files.tables.nested import pairs_of, read_nested, usual_records
from labelnext_adapters.files.tables.not_scores import (
    DOUBTS,
    NOT_READ,
    names_within,
    no_predictions,
)
from labelnext_adapters.files.tables.percentages import without_percent_signs
from labelnext_adapters.files.tables.prediction_strings import (
    column_of_strings,
    objects_of_strings,
)
from labelnext_adapters.files.tables.ranked_classes import ranked_columns, with_likeliest
from labelnext_adapters.files.tables.repeats import (
    first_copies,
    repeats,
    rows_of_items,
    rows_with_values,
)
from labelnext_adapters.files.tables.rows import Rows
from labelnext_adapters.files.tables.score_columns import (
    are_scores,
    check_of_one_class,
    common_prefix,
    run_of_scores,
)
from labelnext_adapters.files.tables.table_options import METADATA, NAMES, TableOptions
from labelnext_adapters.files.tables.transcripts import pieces_in, transcript
from labelnext_adapters.files.tables.vectors import Meaning
from labelnext_adapters.files.tables.votes import shares_of_votes, vote_columns

_LIKE_PROBABILITIES = ("prob", "proba", "probability", "score", "conf", "confidence", "logit")


@dataclass(frozen=True)
class LaidOut:
    """A table with our columns.

    Attributes:
        table: one row for each item.
        columns: our names to the table's.
        notices: what was understood and left out.
        place: ``place(row)`` says in words where a row stands in the file.
    """

    table: pa.Table
    columns: Mapping[str, str | Sequence[str]]
    notices: list[Notice]
    place: Callable[[int], str]


def laid_out(
    rows: Rows, columns: Mapping[str, str | Sequence[str]], options: TableOptions
) -> LaidOut:
    """A table with our columns, whatever layout the file has.

    - Our own names, or those that `columns` gives, stand.
    - A column of lists: class scores, or records of classes or objects.
    - One row a class or a detection (ids repeat): grouped by id.
    - A predicted class with its confidence; several ranked ones (pred_1, prob_1, …).
    - One number column a class.

    Raises:
        InvalidInput: if there is no id, or it can't be told what a column means.
    """
    table = _without_decimals(stored(rows.table), _id_of(rows.table, columns))
    check_columns(table.column_names, columns)
    usual = usual_records(table, columns)
    columns = {o: t for o, t in columns.items() if not (isinstance(t, str) and t in usual)}
    table, read = without_percent_signs(table, options.scale == "percent", rows.place)
    notices = [*rows.notices, *read]
    whole = _with_id(LaidOut(table, dict(columns), notices, rows.place))
    names, id_name = set(whole.table.column_names), str(whole.columns["item_id"])
    whole = _of_rows(whole, rows_with_values(whole.table, id_name))
    out = _without_repeats(whole, id_name)
    if has_our_names([n for n in out.table.column_names if n not in usual], out.columns):
        answered = "prediction" in names or "prediction" in columns
        if not (answered and repeats(out.table.column(id_name))):
            return _beside_vectors(out, options)
    return _understood(out, whole, options)


def _beside_vectors(out: LaidOut, options: TableOptions) -> LaidOut:
    """A table with our names; where these are of embeddings alone, other columns may predict."""
    ours = {*out.table.column_names, *out.columns} & {*NAMES} - {"item_id", "embedding"}
    predicted = ours & {"probabilities", "objects", "prediction", "confidence", "uncertainty"}
    if predicted or any(name.startswith("p_") for name in out.table.column_names):
        return out
    read = _understood(out, out, options)
    return out if any(one.code in NOT_READ for one in read.notices) else read


def _understood(out: LaidOut, whole: LaidOut, options: TableOptions) -> LaidOut:
    """A table whose columns have the usual names, or numbers that show what they are."""
    names, id_name = set(whole.table.column_names), str(out.columns["item_id"])
    if (nested := _nested(out, options)) is not None:
        return nested
    if out.table.num_rows and (repeats(out.table.column(id_name)) or is_boxed(out.table)):
        return _long(out, whole, id_name, options)
    if ranked := ranked_columns(out.table):
        message = f"Read {len(ranked)} ranked classes of each item ({ranked[0][0]!r}, …)."
        return _told(replace(out, table=with_likeliest(out.table, ranked, options)), message)
    check_one_model(out.table.column_names)
    answer, sure = first_of(names, ANSWERS), first_of(names, CERTAINTIES)
    if not (answer and sure):
        answer, sure = _beside_its_score(out.table) or (answer, sure)
    if answer and sure:
        check_of_one_class(out.table, answer, sure)
        return _told(
            replace(out, columns={**out.columns, "prediction": answer, "confidence": sure}),
            f"Read column {answer!r} as the predicted class and {sure!r} as its confidence.",
        )
    if sure and first_of(names, ("label",)) and "label" not in out.columns:
        raise InvalidInput(
            f"columns label and {sure} can be what people said or what a model said; say which.",
            hint=f"for a prediction set source.columns: {{prediction: label, confidence: {sure}}}; "
            "for labels set source.columns: {label: label} and name the predictions too.",
        )
    return _wide(out, options)


def _id_of(table: pa.Table, columns: Mapping[str, str | Sequence[str]]) -> str:
    """The column of ids.

    Raises:
        InvalidInput: if there is none; names that of an id inside records, if there is one.
    """
    try:
        return id_column(table.column_names, columns)
    except InvalidInput as error:
        if pieces_in(table.column_names) == "conf":
            raise transcript("conf") from None
        inner = (name for name in names_within(table.schema) if "." in name)
        found = next((n for n in inner if first_of([n.rpartition(".")[2]], IDS)), None)
        if found is not None and error.hint:
            error.hint = f"to use another column, set source.columns: {{item_id: {found}}}."
        raise


def _without_decimals(table: pa.Table, id_name: str) -> pa.Table:
    """Columns of decimals as other numbers, but for those of ids; maps as lists of pairs."""
    for at, field in enumerate(table.schema):
        if pa.types.is_map(field.type):
            table = table.set_column(at, field.name, pairs_of(table.column(at).combine_chunks()))
        if pa.types.is_decimal(field.type) and field.name != id_name:
            table = table.set_column(at, field.name, plain_type(table.column(at)))
    return table


def _told(out: LaidOut, message: str) -> LaidOut:
    return replace(out, notices=[*out.notices, Notice("layout", message)])


def _with_id(out: LaidOut) -> LaidOut:
    id_name = id_column(out.table.column_names, out.columns)
    known = id_name in (out.columns.get("item_id"), "item_id")
    out = replace(out, columns={**out.columns, "item_id": id_name})
    if known:
        return out
    check_guess(out.table, id_name)
    column = f"column {id_name!r}" if id_name else "the column without a name"
    return _told(out, f"Took {column} as the item's id (source.key names another).")


def _without_repeats(out: LaidOut, id_name: str) -> LaidOut:
    """Without copies of rows, and without the few items that have several rows, unless of votes."""
    votes = vote_columns(out.table.schema, id_name, out.columns)
    if votes is not None and votes[1] is not None:
        kept, notices = first_copies(out.table, id_name)
    else:
        kept, notices = rows_of_items(out.table, id_name, out.place)
    return _of_rows(replace(out, notices=[*out.notices, *notices]), kept)


def _of_rows(out: LaidOut, kept: NDArray[np.int64]) -> LaidOut:
    """Some rows alone."""
    if len(kept) == out.table.num_rows:
        return out
    table = out.table.take(pa.array(kept))
    return replace(out, table=table, place=lambda row: out.place(int(kept[row])))


def _nested(out: LaidOut, options: TableOptions) -> LaidOut | None:
    """Columns with lists, or Kaggle's text of all objects; None if there are none."""
    if (name := column_of_strings(out.table)) is not None:
        objects, notices = objects_of_strings(out.table.column(name), name, out.place)
        table = out.table.append_column("objects", objects)
        return replace(out, table=table, notices=[*out.notices, *notices])
    taken = (_mapped(out) | set(NAMES) - {"prediction"}) - usual_records(out.table, {})
    read = read_nested(out.table, taken, options, out.place)
    if read is None:
        return None
    columns = {**out.columns, **read.columns}
    return replace(out, table=read.table, columns=columns, notices=[*out.notices, *read.notices])


def _long(out: LaidOut, whole: LaidOut, id_name: str, options: TableOptions) -> LaidOut:
    """One row a class; or one a detection, of which the copies left out of `whole` count, too."""
    names = set(out.table.column_names) - {id_name}
    stated = out.columns.get("prediction"), out.columns.get("confidence")
    if {"class", "name"} <= names and corners_in(names):  # YOLOv5: a class's number, and its name
        names -= {"class"}
    answer = stated[0] or first_of(
        names, ("class_name", "category_name", *ANSWERS, "label", "name")
    )
    sure = stated[1] or first_of(names - {answer or ""}, CERTAINTIES)
    corners = corners_in(names)
    answer = answer if isinstance(answer, str) else None
    boxed = of_boxes([id_name, *names])
    votes = vote_columns(out.table.schema, id_name, out.columns)
    if votes is not None and options.logits is None:
        return _votes(out if votes[1] else whole, id_name, votes[0], options)
    if not isinstance(sure, str) or not (answer or boxed):
        ids = out.table.column(id_name).to_pylist()
        doubled = sorted({str(i) for i in ids if ids.count(i) > 1}) if len(ids) < 5000 else []
        raise InvalidInput(
            f"{id_name} must be distinct, or the file must have a class and a confidence on "
            "each row; "
            f"got the columns {listed(out.table.column_names)}"
            f"{' and repeated ids: ' + listed(doubled) if doubled else ''}.",
            hint="keep one row of each item; if each row is a class or a detection, name its "
            "columns: source.columns: {prediction: …, confidence: …}.",
        )
    codes, table = one_row_each(out.table, id_name)
    mapped = _mapped(out) | set(NAMES)
    firsts = table.select(
        [c for c in table.column_names if c == id_name or (c in mapped and c not in (answer, sure))]
    )
    columns = {k: v for k, v in out.columns.items() if k not in ("prediction", "confidence")}
    if not boxed and answer is not None:
        scores = grouped_scores(out.table, codes, table.num_rows, answer, sure, options)
        if scores is not None:
            firsts = firsts.append_column("probabilities", scores)
            done = replace(out, table=firsts, columns=columns, place=lambda row: f"item {row + 1}")
            return _told(done, f"Read each row as one class of an item ({answer!r}, {sure!r}).")
    if whole is not out:
        return _long(whole, whole, id_name, options)
    size = next((s for s in SIZES if first_of(names, (s[0],)) and first_of(names, (s[1],))), None)
    sizes = None if size is None else [str(first_of(names, (side,))) for side in size]
    objects, notices = detections(
        out.table,
        codes,
        table.num_rows,
        answer,
        sure,
        corners,
        sizes,
        out.place,
        Meaning.of(options),
    )
    firsts = firsts.append_column("objects", objects)
    notices = [*out.notices, *notices]
    done = replace(
        out, table=firsts, columns=columns, notices=notices, place=lambda row: f"item {row + 1}"
    )
    return _told(done, f"Read each row as one detected object ({answer!r}, {sure!r}).")


def _votes(out: LaidOut, id_name: str, said: str, options: TableOptions) -> LaidOut:
    """One row a vote: an item's probabilities are the shares that the classes have."""
    scale = Meaning.of(options).scale
    firsts, shares, notices = shares_of_votes(out.table, id_name, said, scale)
    kept = [name for name in firsts.column_names if name == id_name or name in _mapped(out)]
    table = firsts.select([name for name in kept if name != said])
    columns = {k: v for k, v in out.columns.items() if k not in ("prediction", "label")}
    done = replace(
        out,
        table=table.append_column("probabilities", shares),
        columns=columns,
        notices=[*out.notices, *notices],
        place=lambda row: f"item {row + 1}",
    )
    return _told(done, f"Read each row as one vote ({said!r}): probabilities are shares of votes.")


def _mapped(out: LaidOut) -> set[str]:
    """The columns that have a meaning of their own, and those of the metadata."""
    meant = {str(v) for v in out.columns.values() if isinstance(v, str)}
    return meant.union(out.columns.get(METADATA, ()))


def _wide(out: LaidOut, options: TableOptions) -> LaidOut:
    """One number column a class; as it is, if the numbers are no class scores."""
    taken = _mapped(out) | set(NAMES)
    table = out.table
    numeric = [
        name
        for name in table.column_names
        if name not in taken
        and not name.startswith("e_")
        and plain(name) not in ("y_true", "y_pred")
        and not name.lower().startswith("unnamed")
        and name.lower() not in INDEXES
        and _is_number(table.schema.field(name).type)
    ]
    numeric = _without_doubts(table, numeric, options)
    likely = [n for n in numeric if re.split(r"[_\-. ]", n.lower())[0] in _LIKE_PROBABILITIES]
    likely = likely if len(likely) > 1 else []
    chosen = likely or numeric
    columns = [table.column(n).to_numpy(zero_copy_only=False).astype(float) for n in chosen]
    values = np.stack(columns, axis=1) if len(chosen) > 1 else None
    if len(chosen) == 1 and Meaning.of(options).logits == "sigmoid":
        message = f"Read column {chosen[0]!r} as the logit of one class."
        return _told(replace(out, columns={**out.columns, "probabilities": chosen}), message)
    if values is not None and not likely and not are_scores(values, options):
        top = Meaning.of(options).scale
        inside = [not ((c < 0) | (c > top)).any() for c in columns]  # others are of something else
        if sum(inside) > 1 and not are_scores(values[:, inside], options):
            inside = run_of_scores(values, options) or inside
        if sum(inside) > 1 and are_scores(values[:, inside], options):
            chosen = [n for n, fits in zip(chosen, inside, strict=True) if fits]
            values = values[:, inside]
    if values is None or not (likely or are_scores(values, options)):
        if {"confidence", "uncertainty"} & set(table.column_names):
            return out  # one number an item
        scale = Meaning.of(options).scale
        why = no_predictions(table, str(out.columns["item_id"]), chosen, values, out.place, scale)
        return replace(out, notices=[*out.notices, why])
    prefix = common_prefix(chosen) if likely else ""
    renamed = {name: f"p_{name[len(prefix) :]}" for name in chosen}
    table = table.rename_columns([renamed.get(n, n) for n in table.column_names])
    message = f"Read columns {listed(chosen)} as class probabilities."
    return _told(replace(out, table=table), message)


def _without_doubts(table: pa.Table, names: list[str], options: TableOptions) -> list[str]:
    """Number columns without an entropy or the like, where the others alone are class scores."""
    rest = [name for name in names if plain(name) not in DOUBTS]
    if not 1 < len(rest) < len(names):
        return names
    columns = [table.column(n).to_numpy(zero_copy_only=False).astype(float) for n in rest]
    return rest if are_scores(np.stack(columns, axis=1), options) else names


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _beside_its_score(table: pa.Table) -> tuple[str, str] | None:
    """A column of texts beside the one that is called as its score.

    Raises:
        InvalidInput: if there are several.
    """
    pairs = answers_beside_scores(table.column_names)
    pairs = [pair for pair in pairs if pa.types.is_string(table.schema.field(pair[0]).type)]
    if len(pairs) > 1:
        said, sure = pairs[0]
        raise InvalidInput(
            f"one column must be the prediction; {listed(pair[0] for pair in pairs)} have a score.",
            hint=f"set source.columns, such as {{prediction: {said}, confidence: {sure}}}.",
        )
    return pairs[0] if pairs else None
