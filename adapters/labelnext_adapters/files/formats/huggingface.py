"""Outputs of Hugging Face pipelines, saved as JSON or JSONL."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool


class IdsOptions(Options):
    """Keys of `source` for files whose items another file may list."""

    ids: Path | None = None
    """File that lists the items in the order of the file: one id per line, or a column of CSV or
    JSONL (source.key names it)."""


class HuggingFaceOptions(IdsOptions):
    """Keys of `source` for outputs of Hugging Face pipelines."""

    classes: list[str] | None = None
    """Names of all classes; null takes those that occur."""
    multilabel: bool = False
    """Classes are independent: an item's probabilities needn't sum to 1."""


def read(path: Path | str, options: HuggingFaceOptions, context: Context) -> Pool:
    """The inputs of the pipeline.

    Raises:
        NotFound: if the file of ids does not exist.
        InvalidInput: if the file holds no outputs, or too many that can't be used.
    """
    from labelnext_adapters.files.content.item_ids import listed_ids
    from labelnext_adapters.files.content.shards import read_shards
    from labelnext_adapters.files.huggingface.annotators import translated
    from labelnext_adapters.files.huggingface.nested import outputs_of_files
    from labelnext_adapters.files.huggingface.outputs import pool_of_outputs

    ids = next(iter(files(options, context)), None)
    shards = {
        name: [(place, translated(record)) for place, record in records]
        for name, records in read_shards(Path(path), None if ids else context.key).items()
    }
    return pool_of_outputs(
        outputs_of_files(shards, None if ids else context.key),
        ids=None if ids is None else listed_ids(ids, context.key),
        multilabel=options.multilabel,
        classes=options.classes,
    )


def files(options: IdsOptions, context: Context) -> list[Path]:
    """The list of the ids."""
    return [] if options.ids is None else [context.path(options.ids)]


def evidence(sample: Sample) -> str | None:
    """Whether the content is what a pipeline returns."""
    from labelnext_adapters.files.huggingface.annotators import translated
    from labelnext_adapters.files.huggingface.outputs import described
    from labelnext_adapters.files.llm.replies import panel_in

    sample = sample.shard or sample
    if any(map(panel_in, sample.records[:20])):
        return None
    several = translated(sample.records) if len(sample.records) > 1 else None
    return described(translated(sample.json)) or (described(several) if several else None)


FORMAT = Format(
    "huggingface",
    "what Hugging Face pipelines return: classes, zero-shot labels, objects or entities; records "
    "of Flair and Argilla",
    (),
    HuggingFaceOptions,
    read,
    files,
    evidence=evidence,
    of_json=True,
    recognised_by="outputs with label and score, or value and confidence",
)
