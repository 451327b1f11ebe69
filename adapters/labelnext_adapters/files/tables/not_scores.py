"""Why the number columns of a table can't be read as class probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.arrow import is_list
from labelnext_adapters.files.tables.column_names import first_of, plain, spelt
from labelnext_adapters.files.tables.header import NUMBER
from labelnext_adapters.files.tables.known_names import (
    ANSWERS,
    CERTAINTIES,
    CLASSES,
    LOGITS,
    MAYBE_LABELS,
    SCORES,
    VECTORS,
)
from labelnext_adapters.files.tables.numbered import like_an_embedding, numbered
from labelnext_adapters.files.tables.text_numbers import NOTHING
from labelnext_adapters.files.tables.transcripts import pieces_in, transcript
from labelnext_adapters.files.tables.vectors import ROUNDED

NO_PREDICTIONS = "no_predictions"
MAYBE_LOGITS = "maybe_logits"
MAYBE_LOGIT = "maybe_logit"
NOT_READ = (NO_PREDICTIONS, MAYBE_LOGITS, MAYBE_LOGIT)
#: Columns of tables without predictions, and what these are.
_FOREIGN = (
    (
        {"annotation_id", "annotator", "lead_time"},
        "this is Label Studio's own table, which has none. Export the project as JSON.",
    ),
    (
        {"rank", "priority", "score", "batch"},
        "this is a ranking that labelnext wrote. Name the file with the model's predictions.",
    ),
    (
        {"region_shape_attributes", "region_attributes"},
        "this is VIA's table. Save the project as JSON, which labelnext reads if its regions have "
        "a score.",
    ),
)
#: Columns that are high where a model is uncertain.
DOUBTS = {
    "entropy", "predictive_entropy", "pred_entropy", "normalized_entropy", "variance", "std",
    "doubt", "uncertainty_score", "error", "loss", "perplexity", "bald", "mutual_information",
    "nll", "nll_loss", "neg_log_likelihood", "negative_log_likelihood", "surprisal",
    "cross_entropy", "log_loss", "logloss", "vote_entropy", "variation_ratio", "disagreement",
    "stddev", "std_dev", "epistemic_uncertainty", "aleatoric_uncertainty", "total_uncertainty",
}  # fmt: skip
#: Columns of logarithms of probabilities.
_LOGARITHMS = {
    "logprob", "log_prob", "log_probability", "avg_logprob", "avg_log_prob", "mean_logprob",
    "mean_log_prob", "average_logprob", "sequence_logprob", "cumulative_logprob", "sum_logprob",
    "log_likelihood", "loglikelihood", "log_confidence",
}  # fmt: skip
#: Columns of what a language model wrote.
_REPLIES = ("response", "completion", "generated_text", "generation", "reply", "output_text")
_STATED = (
    ". If its texts state a confidence, save the table as CSV or JSONL with source.format: llm."
)
_MOSTLY = 0.5  # a column of texts with as many numbers was meant to hold numbers
_FIELDS = 20  # a record of more is rather one of scores
_DEPTH = 3  # of records in records
_SAMPLED = 10_000
_CLASSES = 50  # a text of more values is no class


def no_predictions(
    table: pa.Table,
    id_name: str,
    chosen: Sequence[str],
    values: NDArray[np.float64] | None,
    place: Callable[[int], str],
    scale: float,
) -> Notice:
    """What keeps a table from being read as one number column a class.

    Args:
        table: as it stands in the file.
        id_name: the column of ids.
        chosen: the number columns.
        values: shape (n_rows, n_columns), of these; None if there are fewer than two.
        place: says in words where a row stands in the file.
        scale: what probabilities go up to: 1, or 100 for percentages.
    """
    for names, what in _FOREIGN:
        if names <= {*table.column_names}:
            return _none_taken(what)
    name = pieces_in(table.column_names)
    if name is not None and (name == "conf" or is_list(table.schema.field(name).type)):
        why = transcript(name)
        return _none_taken(
            f"{why.message} {str(why.hint).capitalize()}",
        )
    shown = listed(n for n in table.column_names if n not in (id_name, "")) or "none"
    odd = _odd_cell(table, id_name, chosen)
    if odd is not None:
        row, name, text = odd
        return _none_taken(
            f"{name} must be a number; got {text!r:.40} in "
            f"{place(row)} (item {_id(table, id_name, row)}). The columns are {shown}.",
        )
    sure = [name for name in chosen if plain(name) in CERTAINTIES]
    sure = sure or [name for name in chosen if plain(name) in DOUBTS | _LOGARITHMS]
    if len(sure) == 1:
        return _one_number(sure[0])
    return _of_numbers(table, id_name, chosen, values, place, scale)


def _of_numbers(
    table: pa.Table,
    id_name: str,
    chosen: Sequence[str],
    values: NDArray[np.float64] | None,
    place: Callable[[int], str],
    scale: float,
) -> Notice:
    """What number columns hold, if none says so by its name."""
    if (parts := like_an_embedding(chosen)) and values is not None:
        of_parts = values[:, [chosen.index(name) for name in parts]]
        return _none_taken(
            f"{listed(parts)} seem to be embeddings. If they "
            "are, call them e_0, e_1, … or list all in source.columns: {embedding: "
            f"[{spelt(parts[0])}, …]}}; {_or_classes(of_parts, scale)}",
        )
    if values is not None and (values < 0).any():
        return _none_taken(
            f"{listed(chosen)} hold negative numbers. If they "
            "are logits, set source.logits: softmax (or sigmoid for independent classes)."
            f"{' If they are embeddings, call them e_0, e_1, ….' if numbered(chosen) else ''}",
            MAYBE_LOGITS,
        )
    if values is not None and not (values > scale).any():
        sums, parted = np.nansum(values, axis=0), (np.modf(values)[0] > 0).any(axis=0)
        if parted.all() and np.allclose(sums, scale, atol=ROUNDED * scale):
            return _none_taken(
                f"{listed(chosen)} sum to {scale:g} from top "
                "to bottom, so they seem to be items, and rows classes. Turn the table around (in "
                "pandas, frame.T).",
            )
        row = int(np.argmax(np.abs(np.nan_to_num(values.sum(axis=1), nan=scale) - scale)))
        total, where = float(values[row].sum()), f"{place(row)} (item {_id(table, id_name, row)})"
        return _none_taken(
            f"{listed(chosen)} must sum to {scale:g} in "
            f"every row; they sum to {total:.4g} in {where}. {_other_scale(values, scale)}If "
            "classes are independent, set source.multilabel: true, else set source.columns.",
        )
    if len(chosen) == 1:
        pair = _pair_within(dict(_fields_within(table.schema)))
        return _one_number(chosen[0]) if pair is None else _inner(pair)
    if values is not None:
        row, column = divmod(int(np.nanargmax(values)), len(chosen))
        where = f"{place(row)} (item {_id(table, id_name, row)})"
        return _none_taken(
            f"{listed(chosen)} must be at most {scale:g}; "
            f"{chosen[column]} is {values[row, column]:g} in {where}. If they are percentages, set "
            "source.scale: percent; if they are logits, source.logits: softmax; else set "
            "source.columns to name those with class scores (such as columns: {probabilities: "
            f"[{', '.join(chosen[:2])}]}}).",
        )
    return Notice(NO_PREDICTIONS, f"No column was taken as predictions{_cure(table, id_name)}")


def _none_taken(why: str, kind: str = NO_PREDICTIONS) -> Notice:
    return Notice(kind, f"No column was taken as predictions: {why}")


def _inner(columns: str) -> Notice:
    return Notice(
        NO_PREDICTIONS,
        f"No column was taken as predictions. Set source.columns: {columns} if these fields are.",
    )


def _or_classes(values: NDArray[np.float64], scale: float) -> str:
    """What numbers that may be an embedding can be as well."""
    if ((values < 0) | (values > scale)).any():
        return "if they are logits, set source.logits: softmax (or sigmoid)."
    return "if they are those of independent classes, set source.multilabel: true."


def _other_scale(values: NDArray[np.float64], scale: float) -> str:
    fractions = scale > 1 and not (values > 1).any()
    return "If they are fractions, leave source.scale out. " if fractions else ""


def _one_number(name: str) -> Notice:
    """What the only number column may be, by its name."""
    if plain(name) in LOGITS:
        return _none_taken(
            f"{name} seems to be the logit of one class (set source.logits: sigmoid).",
            MAYBE_LOGIT,
        )
    if plain(name) in _LOGARITHMS:
        return _none_taken(
            f"{name} seems to be the logarithm of a probability. Save its exponential in a column "
            "called confidence (with numpy, exp).",
        )
    if plain(name) in DOUBTS:
        what = (
            f"{name} seems to say how uncertain the model is (if it is in [0, 1], set "
            f"source.columns: {{uncertainty: {spelt(name)}}}; else divide it by its largest "
            "possible value)"
        )
    else:
        what = (
            f"{name} can be how sure the model is of its answer (set source.columns: "
            f"{{confidence: {spelt(name)}}}), or the probability of one class (set source.columns: "
            f"{{probabilities: [{spelt(name)}]}} and source.multilabel: true)"
        )
    return _none_taken(f"{what}.")


def _cure(table: pa.Table, id_name: str) -> str:
    """What the columns may be, where they hold no numbers."""
    empty = _empty(table, id_name)
    if empty and len(empty) == table.num_columns - 1:
        return f": {listed(empty)} {'is' if len(empty) == 1 else 'are'} empty."
    if alike := _alike(table, id_name):
        return (
            f": {listed(alike)} hold the same classes, but no certainty. If each is what one model "
            "or judge said, call them judge_1, judge_2, … and the items on which they disagree "
            "come first."
        )
    said = {field.name: _said(field.type) for field in table.schema if field.name != id_name}
    plain_names = [name for name, kind in said.items() if not pa.types.is_nested(kind)]
    texts = [name for name in plain_names if pa.types.is_string(said[name])]
    if name := first_of([n for n in texts if n not in ANSWERS], (*VECTORS, *CERTAINTIES)):
        value = next((text for text in table.column(name).to_pylist() if text), "")
        if not any(map(str.isdigit, value)):
            return _no_certainty(name)
        return (
            f": {name} must hold a number, or a list of them such as [0.9, 0.1] or "
            f'{{"cat": 0.9, "dog": 0.1}}; got {value!r:.60}.'
        )
    if answer := first_of(plain_names, (*ANSWERS, *_REPLIES)):
        few = table.column(answer).drop_null()[:_SAMPLED].to_pylist() if answer in texts else []
        stated = any(any(map(str.isdigit, text)) for text in few)
        return _no_certainty(answer) + (_STATED if stated else "")
    names = [name for name in names_within(table.schema) if name not in (id_name, "")]
    return (
        f"; the others are {listed(names, 12) or 'none'}. Set source.columns to name them (such as "
        f"columns: {_such(table.schema)}), or source.logits if they are logits."
    )


def _no_certainty(answer: str) -> str:
    return (
        f": {answer} says what the model predicts, but not how sure it is. Save its probabilities "
        "or its confidence beside it; or, if these are the answers of several models, call the "
        "columns judge_1, judge_2, …"
    )


def _said(kind: pa.DataType) -> pa.DataType:
    """What a column says, also where it lists several classes."""
    return kind.value_type if is_list(kind) and pa.types.is_string(kind.value_type) else kind


def _such(schema: pa.Schema) -> str:
    """What source.columns may be, by columns and fields that hold several numbers, or one.

    Example:
        >>> vector = pa.list_(pa.float64())
        >>> _such(pa.schema({"v1": vector, "v2": vector}))
        '{probabilities: [v1, v2]}'
        >>> _such(pa.schema({"out": pa.struct({"label": pa.string(), "score": pa.float64()})}))
        '{prediction: out.label, confidence: out.score}'
    """
    kinds = dict(_fields_within(schema))
    vectors = [name for name, kind in kinds.items() if _is_vector(kind)]
    if len(vectors) > 1:
        return f"{{probabilities: [{', '.join(vectors[:3])}]}}"
    if vectors:
        return f"{{probabilities: {vectors[0]}}}"
    pair = _pair_within(kinds)
    return "{probabilities: [cat, dog]}" if pair is None else pair


def _pair_within(kinds: Mapping[str, pa.DataType]) -> str | None:
    """What source.columns may be, by fields of records with a class and how sure the model is."""
    inner = {name: kind for name, kind in kinds.items() if "." in name}
    said = [n for n, k in inner.items() if pa.types.is_string(k) and _last(n) in CLASSES]
    sure = [n for n, k in inner.items() if pa.types.is_floating(k) and _is_sure(_last(n))]
    return f"{{prediction: {said[0]}, confidence: {sure[0]}}}" if said and sure else None


def _is_sure(name: str) -> bool:
    return name in SCORES or name.endswith(("_confidence", "_score", "_probability"))


def _last(name: str) -> str:
    return plain(name.rpartition(".")[2])


def _is_vector(kind: pa.DataType) -> bool:
    """Whether values are lists of numbers, or mappings to numbers."""
    if is_list(kind):
        return bool(pa.types.is_floating(kind.value_type))
    inside = [field.type for field in kind] if pa.types.is_struct(kind) else []
    return bool(inside) and all(map(pa.types.is_floating, inside))


def names_within(schema: Iterable[pa.Field]) -> Iterator[str]:
    """The names of columns; of those that hold records, the names of their fields, with a dot.

    Example:
        >>> list(names_within(pa.schema({"a": pa.struct({"b": pa.int64()}), "c": pa.int64()})))
        ['a.b', 'c']
    """
    return (name for name, _ in _fields_within(schema))


def _fields_within(
    schema: Iterable[pa.Field], above: str = ""
) -> Iterator[tuple[str, pa.DataType]]:
    for field in schema:
        inside = pa.types.is_struct(field.type) and above.count(".") < _DEPTH
        inside = inside and not (above and _is_vector(field.type))
        if inside and field.type.num_fields <= _FIELDS:
            yield from _fields_within(field.type, f"{above}{field.name}.")
        else:
            yield f"{above}{field.name}", field.type


def _alike(table: pa.Table, id_name: str) -> list[str]:
    """The columns of texts that hold the same few classes, if there are several."""
    texts = {
        field.name: _texts_in(table.column(field.name))
        for field in table.schema
        if field.name != id_name and pa.types.is_string(field.type)
        if plain(field.name) not in MAYBE_LABELS
    }
    few = {name: values for name, values in texts.items() if 1 < len(values) <= _CLASSES}
    alike = [n for n, v in few.items() if any(v & w for other, w in few.items() if other != n)]
    return alike if len(alike) > 1 else []


def _texts_in(column: Any) -> set[str]:
    """The texts of a column's first rows, but for those that say that there is none."""
    texts = set(column.slice(0, _SAMPLED).to_pylist()) - {None}
    return {text for text in texts if text.strip().lower() not in NOTHING}


def _empty(table: pa.Table, id_name: str) -> list[str]:
    """The columns without a value."""
    others = [field for field in table.schema if field.name != id_name]
    return [
        field.name
        for field in others
        if table.column(field.name).null_count == table.num_rows
        or (pa.types.is_string(field.type) and not _texts_in(table.column(field.name)))
    ]


def _odd_cell(table: pa.Table, id_name: str, chosen: Sequence[str]) -> tuple[int, str, str] | None:
    """The first cell that isn't a number, in a column where most are: row, column and text."""
    for name in table.column_names:
        column = table.column(name)
        if name in (id_name, *chosen) or not pa.types.is_string(column.type):
            continue
        texts = [(text or "").strip() for text in column.slice(0, _SAMPLED).to_pylist()]
        given = [(row, text) for row, text in enumerate(texts) if text]
        odd = [(row, text) for row, text in given if not NUMBER.match(text)]
        if given and odd and len(given) - len(odd) >= _MOSTLY * len(given):
            return odd[0][0], name, odd[0][1]
    return None


def _id(table: pa.Table, id_name: str, row: int) -> Any:
    return listed([table.column(id_name)[row].as_py()])
