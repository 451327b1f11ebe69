"""What the columns of a table mean, where they don't have our names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.arrow import is_list, is_number, plain_type
from labelnext_adapters.files.tables.cells import stored
from labelnext_adapters.files.tables.clock_times import with_seconds
from labelnext_adapters.files.tables.column_names import (
    answers_beside_scores,
    check_columns,
    check_one_model,
    corners_in,
    first_of,
    has_our_names,
    id_column,
    sizes_in,
    spans_in,
    spelt,
)
from labelnext_adapters.files.tables.guessed_ids import check_guess
from labelnext_adapters.files.tables.known_names import ANSWERS, CERTAINTIES, IDS, SEGMENTS
from labelnext_adapters.files.tables.laid_out import LaidOut
from labelnext_adapters.files.tables.long_rows import (
    detections,
    grouped_scores,
    is_boxed,
    of_boxes,
    one_row_each,
)
from labelnext_adapters.files.tables.nested import pairs_of, read_nested, usual_records
from labelnext_adapters.files.tables.not_scores import (
    NOT_READ,
    names_within,
)
from labelnext_adapters.files.tables.numbered import with_embedding
from labelnext_adapters.files.tables.passed_over import (
    beside_answers,
    free_numbers,
    without_p_value,
)
from labelnext_adapters.files.tables.percentages import without_percent_signs
from labelnext_adapters.files.tables.prediction_strings import (
    column_of_strings,
    objects_of_strings,
)
from labelnext_adapters.files.tables.ranked_classes import ranked_columns, with_likeliest
from labelnext_adapters.files.tables.repeated_classes import check_versions, class_and_share
from labelnext_adapters.files.tables.repeats import (
    first_copies,
    repeats,
    rows_of_items,
    rows_with_values,
)
from labelnext_adapters.files.tables.rows import Rows
from labelnext_adapters.files.tables.score_columns import (
    check_of_one_class,
)
from labelnext_adapters.files.tables.table_options import NAMES, TableOptions, flat_columns
from labelnext_adapters.files.tables.transcripts import pieces_in, transcript
from labelnext_adapters.files.tables.vectors import Meaning
from labelnext_adapters.files.tables.votes import shares_of_votes, vote_columns
from labelnext_adapters.files.tables.wide_rows import wide

_CLASSES = ("class_name", "category_name", *ANSWERS, "label")  # of rows with several an item


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
    table, timed = with_seconds(table, rows.place)
    columns, found = with_embedding(table, columns)
    notices = [*rows.notices, *read, *timed, *found]
    whole = _with_id(LaidOut(table, notices, rows.place, dict(columns)))
    names, id_name = set(whole.table.column_names), str(whole.columns["item_id"])
    whole = whole.of_rows(rows_with_values(whole.table, id_name))
    out = without_p_value(_without_repeats(whole, id_name), options)
    if has_our_names([n for n in out.table.column_names if n not in usual], out.columns):
        answered = "prediction" in names or "prediction" in columns
        if not (answered and repeats(out.table.column(id_name))):
            return beside_answers(_beside_vectors(out, whole, options), options)
    return beside_answers(_understood(out, whole, options), options)


def _beside_vectors(out: LaidOut, whole: LaidOut, options: TableOptions) -> LaidOut:
    """A table with our names; where these are of embeddings alone, other columns may predict."""
    ours = {*out.table.column_names, *out.columns} & {*NAMES} - {"item_id", "embedding"}
    predicted = ours & {"probabilities", "objects", "prediction", "confidence", "uncertainty"}
    if predicted or flat_columns("probabilities", out.table.column_names):
        return out
    read = _understood(out, whole, options)
    unread = [one.message for one in read.notices if one.code in NOT_READ]
    if not unread:
        return read
    told = [Notice("not_read", message) for message in unread if free_numbers(out)]
    return replace(out, notices=[*out.notices, *told])


def _understood(out: LaidOut, whole: LaidOut, options: TableOptions) -> LaidOut:
    """A table whose columns have the usual names, or numbers that show what they are."""
    names, id_name = set(whole.table.column_names), str(out.columns["item_id"])
    if (nested := _nested(out, options)) is not None:
        return nested
    several = is_boxed(out.table) or _are_segments(out.table) or repeats(out.table.column(id_name))
    if out.table.num_rows and several:
        return _long(out, whole, id_name, options)
    if ranked := ranked_columns(out.table):
        message = f"Read {len(ranked)} ranked classes of each item ({ranked[0][0]!r}, …)."
        return replace(out, table=with_likeliest(out.table, ranked, options)).told(message)
    check_one_model(out.table.column_names)
    answer, sure = first_of(names, ANSWERS), first_of(names, CERTAINTIES)
    if not (answer and sure):
        answer, sure = _beside_its_score(out.table) or (answer, sure)
    if answer and sure:
        check_of_one_class(out.table, answer, sure)
        message = f"Read column {answer!r} as the predicted class and {sure!r} as its confidence."
        columns = {**out.columns, "prediction": answer, "confidence": sure}
        return replace(out, columns=columns).told(message)
    if sure and first_of(names, ("label",)) and "label" not in out.columns:
        raise InvalidInput(
            f"columns label and {sure} can be what people said or what a model said; say which.",
            hint=f"for a prediction set source.columns: {{prediction: label, confidence: {sure}}}; "
            "for labels set source.columns: {label: label} and name the predictions too.",
        )
    return wide(out, options)


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
        inner = [name for name in names_within(table.schema) if "." in name]
        usual = [name for name in IDS if name != "name"]  # which is rather that of a class
        found = next((n for n in inner if first_of([n.rpartition(".")[2]], usual)), None)
        if found is not None and error.hint:
            error.hint = f"to use another column, set source.columns: {{item_id: {spelt(found)}}}."
        raise


def _without_decimals(table: pa.Table, id_name: str) -> pa.Table:
    """Columns of decimals as other numbers, but for those of ids; maps as lists of pairs."""
    for at, field in enumerate(table.schema):
        if pa.types.is_map(field.type):
            table = table.set_column(at, field.name, pairs_of(table.column(at).combine_chunks()))
        if pa.types.is_decimal(field.type) and field.name != id_name:
            table = table.set_column(at, field.name, plain_type(table.column(at)))
    return table


def _with_id(out: LaidOut) -> LaidOut:
    id_name = id_column(out.table.column_names, out.columns)
    known = id_name in (out.columns.get("item_id"), "item_id")
    out = replace(out, columns={**out.columns, "item_id": id_name})
    if known:
        return out
    check_guess(out.table, id_name)
    column = f"column {id_name!r}" if id_name else "the column without a name"
    return out.told(f"Took {column} as the item's id (source.key names another).")


def _without_repeats(out: LaidOut, id_name: str) -> LaidOut:
    """Without copies of rows, and without the few items that have several rows, unless of votes."""
    votes = vote_columns(out.table.schema, id_name, out.columns)
    if votes is not None and votes[1] is not None:
        kept, notices = first_copies(out.table, id_name)
    else:
        kept, notices = rows_of_items(out.table, id_name, out.place)
    return replace(out, notices=[*out.notices, *notices]).of_rows(kept)


def _nested(out: LaidOut, options: TableOptions) -> LaidOut | None:
    """Columns with lists, or Kaggle's text of all objects; None if there are none."""
    if (name := column_of_strings(out.table)) is not None:
        objects, notices = objects_of_strings(out.table.column(name), name, out.place)
        table = out.table.append_column("objects", objects)
        return replace(out, table=table, notices=[*out.notices, *notices])
    kinds = {field.name: field.type for field in out.table.schema}
    lists = {"confidence"} if is_list(kinds.get("confidence", pa.null())) else set()
    taken = (out.mapped | set(NAMES) - {"prediction"} - lists) - usual_records(out.table, {})
    return read_nested(out, taken, options)


def _are_segments(table: pa.Table) -> bool:
    """Whether each row has a start, an end, a label and a confidence, but no answer."""
    names = table.column_names
    numbers = [field.name for field in table.schema if is_number(field.type)]
    labelled = first_of(names, ("label", *SEGMENTS)) and not first_of(names, ANSWERS)
    return bool(spans_in(numbers) and labelled and first_of(names, CERTAINTIES))


def _long(out: LaidOut, whole: LaidOut, id_name: str, options: TableOptions) -> LaidOut:
    """One row a class; or one a detection, of which the copies left out of `whole` count, too."""
    names = set(out.table.column_names) - {id_name}
    stated = out.columns.get("prediction"), out.columns.get("confidence")
    if {"class", "name"} <= names and corners_in(names):  # YOLOv5: a class's number, and its name
        names -= {"class"}
    spans = spans_in(n for n in names if is_number(out.table.schema.field(n).type))
    answer = stated[0] or first_of(names, (*_CLASSES, *(SEGMENTS if spans else ()), "name"))
    sure = stated[1] or first_of(names - {answer or ""}, CERTAINTIES)
    answer = answer if isinstance(answer, str) else None
    boxed = spans or of_boxes([id_name, *names])
    votes = vote_columns(out.table.schema, id_name, out.columns)
    if votes is not None and options.logits is None:
        return _votes(out if votes[1] else whole, id_name, votes[0], options)
    check_versions(whole.table, id_name)
    if not boxed and None in (answer, sure):
        answer, sure = class_and_share(out.table, id_name) or (answer, sure)
    if not isinstance(sure, str) or not (boxed or isinstance(answer, str)):
        raise _repeated(out.table, id_name)
    codes, table = one_row_each(out.table, id_name)
    mapped = out.mapped | set(NAMES)
    firsts = table.select(
        [c for c in table.column_names if c == id_name or (c in mapped and c not in (answer, sure))]
    )
    columns = {k: v for k, v in out.columns.items() if k not in ("prediction", "confidence")}
    if not boxed and answer is not None:
        scores = grouped_scores(out.table, codes, table.num_rows, answer, sure, options, out.place)
        if scores is not None:
            firsts = firsts.append_column("probabilities", scores[0])
            told = [*out.notices, *scores[1]]
            done = replace(out, table=firsts, columns=columns, notices=told, place=_item)
            return done.told(f"Read each row as one class of an item ({answer!r}, {sure!r}).")
    if whole is not out:
        return _long(whole, whole, id_name, options)
    objects, notices = detections(
        out.table,
        codes,
        table.num_rows,
        answer,
        sure,
        sizes_in(names),
        out.place,
        Meaning.of(options),
        spans,
    )
    firsts = firsts.append_column("objects", objects)
    notices = [*out.notices, *notices]
    done = replace(out, table=firsts, columns=columns, notices=notices, place=_item)
    return done.told(f"Read each row as one detected object ({answer!r}, {sure!r}).")


def _repeated(table: pa.Table, id_name: str) -> InvalidInput:
    """The error for ids that occur again in rows of neither classes nor detections."""
    ids = table.column(id_name).to_pylist()
    doubled = sorted({str(i) for i in ids if ids.count(i) > 1}) if len(ids) < 5000 else []
    return InvalidInput(
        f"{id_name} must be distinct, or the file must have a class and a confidence on "
        "each row; "
        f"got the columns {listed(table.column_names)}"
        f"{' and repeated ids: ' + listed(doubled) if doubled else ''}.",
        hint="keep one row of each item; if each row is a class or a detection, name its "
        "columns: source.columns: {prediction: …, confidence: …}; if each is what one person "
        "said, source.columns: {label: …}.",
    )


def _item(row: int) -> str:
    return f"item {row + 1}"


def _votes(out: LaidOut, id_name: str, said: str, options: TableOptions) -> LaidOut:
    """One row a vote: an item's probabilities are the shares that the classes have."""
    scale = Meaning.of(options).scale
    firsts, shares, notices = shares_of_votes(out.table, id_name, said, scale)
    kept = [name for name in firsts.column_names if name == id_name or name in out.mapped]
    table = firsts.select([name for name in kept if name != said])
    columns = {k: v for k, v in out.columns.items() if k not in ("prediction", "label")}
    done = replace(
        out,
        table=table.append_column("probabilities", shares),
        columns=columns,
        notices=[*out.notices, *notices],
        place=_item,
    )
    return done.told(f"Read each row as one vote ({said!r}): probabilities are shares of votes.")


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
