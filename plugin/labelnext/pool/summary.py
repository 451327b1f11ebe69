"""What a pool holds, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext.support.words import counted

if TYPE_CHECKING:
    from labelnext.pool.pool import Pool


def summary(pool: Pool) -> str:
    """The number of its items, and what is known of them, in words."""
    said = []
    if pool.probabilities is not None:
        classes = counted(pool.probabilities.shape[-1], "class", "classes")
        said.append(f"probabilities of {classes}")
    if pool.answer is not None:
        said.append("one confidence each")
    said += [counted(len(objects.confidences), "object") for objects in pool.object_sets[-1:]]
    if len(pool.version_names) > 1:
        said.append(f"{len(pool.version_names)} model versions")
    if pool.embeddings is not None:
        said.append(f"embeddings of {counted(pool.embeddings.shape[1], 'dimension')}")
    said.append(f"{pool.labelled.sum():,} labelled")
    return f"{counted(len(pool), 'item')}: {', '.join(said)}"
