"""Documents of spaCy to a Pool: scores of categories, or spans as objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.item_ids import ITEM_KEYS, id_in
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.spacy.documents import Document, document_of


def pool_of_documents(
    documents: Sequence[tuple[str, Any]],
    *,
    key: str | None = None,
    ids: Sequence[str] | None = None,
    spans: str | None = None,
    multilabel: bool = False,
) -> Pool:
    """The documents, with the scores of their categories or of their spans.

    Args:
        documents: each with its place; a Document, or a record of JSON.
        key: of the ids, in the user data or the record.
        ids: of the documents; those in the documents, or else their numbers from 0, when None.
        spans: the group of spans to read; categories if there are some, else the only group with
            scores, when None.
        multilabel: categories are independent.

    Raises:
        InvalidInput: if there are no scores, several groups, or too many that can't be used.
    """
    if ids is not None and len(ids) != len(documents):
        raise InvalidInput(
            f"ids must be one for each of the {len(documents):,} documents; got {len(ids):,}."
        )
    gathered = Gathered("document", multilabel=multilabel, spans=True)
    parsed: list[tuple[str, Any, Document]] = []
    numbered = False
    for number, (place, one) in enumerate(documents):
        with gathered.record(place):
            document = one if isinstance(one, Document) else document_of(one)
            name = ids[number] if ids is not None else _id_of(document.user_data, key)
            numbered |= name is None
            parsed.append((place, str(number) if name is None else name, document))
    if numbered:
        message = "Documents without an id are called by their number from 0 (set source.ids)."
        gathered.notice("numbered", message)
    group = _group([document for _, _, document in parsed], spans)
    for place, name, document in parsed:
        try:
            row = gathered.new_item(name)
            if group is None:
                gathered.scores(row, document.cats)
            else:
                gathered.nothing(row)
        except Unusable as error:
            gathered.odd.leave_out(place, name, str(error))
            continue
        for label, score in document.spans.get(group, []) if group is not None else ():
            with gathered.record(f"{place}, span", name):
                gathered.detection(row, label or None, score)
    return gathered.pool()


def _id_of(user_data: Mapping[Any, Any], key: str | None) -> Any:
    """The id in what is stored with a document, also in an extension attribute."""
    plain: dict[str, Any] = {}
    for name, value in user_data.items():
        if isinstance(name, tuple) and len(name) > 1 and name[0] == "._." and name[2:] in _WHOLE:
            name = name[1]
        if isinstance(name, str):
            plain.setdefault(name, value)
    meta = plain.get("meta")
    item = id_in(plain, key, ITEM_KEYS)
    return id_in(meta, None) if item is None and isinstance(meta, Mapping) else item


_WHOLE = ((None, None), ())  # the rest of the key of an attribute of the document, not of a part


def _group(documents: Sequence[Document], stated: str | None) -> str | None:
    """The group of spans to read; None for categories.

    Raises:
        InvalidInput: if there is no such group, several, or nothing with scores.
    """
    groups = sorted({name for document in documents for name in document.spans})
    if stated is not None:
        if stated not in groups:
            raise InvalidInput(f"spans must be one of {listed(groups) or 'none'}; got {stated!r}.")
        return stated
    if any(document.cats for document in documents):
        return None
    scored = [
        name
        for name in groups
        if any(score is not None for d in documents for _, score in d.spans.get(name, ()))
    ]
    if len(scored) > 1:
        raise InvalidInput(
            f"spans must name one of the groups {listed(scored)}.", hint="set source.spans."
        )
    if not scored and documents:
        raise InvalidInput(
            "documents must have cats, or spans with scores; these have "
            f"{f'spans without scores ({listed(groups)})' if groups else 'neither'}.",
            hint="run a pipeline with textcat or spancat, and keep the scores of doc.spans.",
        )
    return scored[0] if scored else None
