"""Where doubt can come from embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.selection.auto import has_opinion
from labelnext.selection.vectors import Points, finite_rows

if TYPE_CHECKING:
    from labelnext.ranking.recipe import Recipe


def gives_opinion(pool: Pool, recipe: Recipe) -> bool:
    """Whether `doubt: embeddings` works: nothing stands against it, and two classes are labelled.

    Args:
        pool: the items.
        recipe: with the space and the limits; the method may be open.
    """
    if pool.embeddings is None or pool.labels is None or _obstacle(pool, recipe):
        return False
    embedded = finite_rows(Points(pool.embeddings), pool.item_ids)
    return has_opinion(pool.labels[embedded], pool.predicted_classes)


def check_doubt(pool: Pool, recipe: Recipe) -> None:
    """Refuse `doubt: embeddings` where items have no single class, or something would be ignored.

    Args:
        pool: the items.
        recipe: resolved.

    Raises:
        InvalidInput: saying what stands against it.
    """
    if recipe.selection_options.get("doubt") != "embeddings":
        return
    if obstacle := _obstacle(pool, recipe):
        add = "add embeddings, or " if "stand for" in obstacle else ""
        raise InvalidInput(
            f"doubt must be utility {obstacle}; got 'embeddings'.",
            hint=f"{add}leave out doubt.",
        )


def _obstacle(pool: Pool, recipe: Recipe) -> str | None:
    whole = pool.probabilities is not None or pool.answer is not None
    obstacles = {
        "for a pool of objects": bool(pool.object_sets) and not whole,
        "for classes that are independent of each other": pool.multilabel,
        "where class probabilities stand for embeddings": (
            recipe.space.get("space") == "probabilities"
        ),
        "with similar_to": bool(recipe.likeness.get("similar_to")),
        "with groups_as_items": bool(recipe.limits.get("groups_as_items")),
    }
    return next((obstacle for obstacle, present in obstacles.items() if present), None)
