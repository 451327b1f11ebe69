"""Where doubt can't come from embeddings."""

from __future__ import annotations

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe


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
    for obstacle, present in obstacles.items():
        if present:
            add = "add embeddings to the source, or " if "stand for" in obstacle else ""
            raise InvalidInput(
                f"doubt must be utility {obstacle}; got 'embeddings'.",
                hint=f"{add}leave out selection.options.doubt.",
            )
