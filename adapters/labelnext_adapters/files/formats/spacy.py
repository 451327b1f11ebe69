"""Documents of spaCy: DocBin files, and the JSON that spaCy and Prodigy write."""

from __future__ import annotations

from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.pool import Pool
from labelnext_adapters.files.formats.huggingface import IdsOptions, files


class SpacyOptions(IdsOptions):
    """Keys of `source` for documents of spaCy."""

    spans: str | None = None
    """Group of doc.spans to read, such as sc; null reads doc.cats if there are some, else the only
    group with scores."""
    multilabel: bool = False
    """Classes are independent: an item's probabilities needn't sum to 1."""


def read(path: Path | str, options: SpacyOptions, context: Context) -> Pool:
    """The documents.

    Raises:
        MissingExtra: if msgpack is not installed and the file is binary.
        NotFound: if the file of ids does not exist.
        InvalidInput: if the documents have no scores, or too many can't be used.
    """
    from labelnext_adapters.files.content.content import read_records
    from labelnext_adapters.files.content.item_ids import listed_ids
    from labelnext_adapters.files.spacy.documents import read_docbin
    from labelnext_adapters.files.spacy.pool import pool_of_documents

    ids = next(iter(files(options, context)), None)
    path = Path(path)
    if path.suffix.lower() == ".spacy":
        documents = [(f"document {n}", one) for n, one in enumerate(read_docbin(path), 1)]
    else:
        documents = read_records(path)
    return pool_of_documents(
        documents,
        key=None if ids else context.key,
        ids=None if ids is None else listed_ids(ids, context.key),
        spans=options.spans,
        multilabel=options.multilabel,
    )


def evidence(sample: Sample) -> str | None:
    """Whether the records are documents with categories or spans."""
    for record in sample.records[:20]:
        parts = {"cats", "spans"} & record.keys()
        if isinstance(record.get("text"), str) and parts and "predictions" not in record:
            return f"its records have text and {', '.join(sorted(parts))}, as spaCy's do"
    return None


FORMAT = Format(
    "spacy",
    "spaCy's DocBin and JSON: `cats`, or `spans` with scores",
    (".spacy",),
    SpacyOptions,
    read,
    files,
    evidence=evidence,
    recognised_by=".spacy, or records with text and cats or spans",
)
