"""Answers of language models: completions, batch files, judges, stated confidences, traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample, suffix_of
from labelnext.pool.pool import Pool

_TABLES = (".csv", ".tsv", ".tab")
_HEADS = (
    "judge", "model", "evaluator", "grader", "rater", "annotator", "reviewer", "answer", "reply",
    "response", "completion", "output", "generat", "verdict", "content", "message",
    "result", "prediction", "classification",
)  # fmt: skip


class LlmOptions(Options):
    """Keys of `source` for answers of language models."""

    classes: list[str] | None = None
    """Classes that answers name; answers and tokens are matched regardless of case, quotes and
    spaces, also by their beginning. Null takes the answers themselves."""
    answer_key: str | None = None
    """Key of a structured answer that holds the class; null takes label, class, answer and the
    like."""
    confidence_key: str | None = None
    """Key of a structured answer that holds its confidence; null takes confidence, probability and
    the like."""
    label_key: str | None = None
    """Key of a record that holds the label that a person gave; null takes label where the model's
    answer is elsewhere."""
    score_name: str | None = None
    """Score of traces to rank by, if they have several."""
    scale: Literal["fraction", "percent"] = "fraction"
    """Whether probabilities and confidences go up to 1 or, as percent, to 100."""


def read(path: Path | str, options: LlmOptions, context: Context) -> Pool:
    """The items that models were asked about.

    Raises:
        InvalidInput: if the file holds no answers, or too many that can't be used.
    """
    from labelnext_adapters.files.content.shards import read_all
    from labelnext_adapters.files.llm.table import read_rows

    path = Path(path)
    if suffix_of(path) not in _TABLES:
        return _pool_of(read_all(path, context.key), options, context)
    records, notices = read_rows(path)
    pool = _pool_of(records, options, context)
    return replace(pool, notices=(*notices, *pool.notices))


def _pool_of(records: Sequence[tuple[str, Any]], options: LlmOptions, context: Context) -> Pool:
    """The items of traces, ratings or answers with people's labels; records have their places."""
    from labelnext_adapters.files.llm.given import passed_over, set_apart, with_labels

    records, labels = set_apart(records, context.key, options.label_key)
    pool = _pool_of_answers(records, options, context)
    pool = with_labels(pool, labels, known=options.classes is not None)
    told = passed_over(records, None if labels else options.label_key)
    return replace(pool, notices=(*pool.notices, *told))


def _pool_of_answers(
    records: Sequence[tuple[str, Any]], options: LlmOptions, context: Context
) -> Pool:
    """The items of traces, ratings or answers."""
    from labelnext_adapters.files.llm import ratings
    from labelnext_adapters.files.llm.asked import Asked
    from labelnext_adapters.files.llm.pool import pool_of_records
    from labelnext_adapters.files.llm.traces import described, pool_of_traces

    percent = options.scale == "percent"
    plain = [record for _, record in records[:20] if isinstance(record, dict)]
    if options.score_name is not None or described(plain):
        return pool_of_traces(
            records,
            key=context.key,
            score=options.score_name,
            classes=options.classes,
            percent=percent,
        )
    if ratings.described(plain):
        return ratings.pool_of_ratings(records, context.key)
    asked = Asked(context.key, options.answer_key, options.confidence_key, percent)
    return pool_of_records(records, asked, options.classes)


def _may_be_rows(sample: Sample) -> bool:
    """Whether a CSV file names judges or replies in its first line, or has JSON in its cells."""
    if sample.suffix not in _TABLES or not sample.lines:
        return False
    head = sample.lines[0].lower()
    return any(word in head for word in _HEADS) or any("{" in line for line in sample.lines[1:20])


def evidence(sample: Sample) -> str | None:
    """Whether the records are answers of language models, or traces with scores."""
    sample = sample.shard or sample
    if not sample.may_hold_json and not _may_be_rows(sample):
        return None
    from labelnext_adapters.files.llm import given, pool, ratings, table, traces

    if not sample.may_hold_json:
        rows = given.without_labels(table.first_rows(sample))
        return pool.described(rows) or ratings.described(rows)
    records = given.without_labels(sample.records)
    return traces.described(records) or pool.described(records) or ratings.described(records)


FORMAT = Format(
    "llm",
    "answers of language models: logprobs, votes, judges, stated confidences, batch files, traces",
    (),
    LlmOptions,
    read,
    evidence=evidence,
    recognised_by="completions, judges or traces with scores",
)
