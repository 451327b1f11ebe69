"""What the configuration asks of a pool that is read in parts, and what it may not ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from labelnext.acquisition import AUTO, get_acquisition
from labelnext.adapter.protocol import Part, Streams
from labelnext.config.config import Config
from labelnext.errors import ConfigError, InvalidInput, NotFound
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe, resolved
from labelnext.runs.large.choices import check_choice, refuse, try_limits
from labelnext.runs.large.class_counts import with_labels, with_weights
from labelnext.selection import get_selection, selection_names
from labelnext.selection.auto import few_labels
from labelnext.selection.vectors import Points, finite_rows

if TYPE_CHECKING:
    import pyarrow as pa


def check_streamable(settings: Config) -> None:
    """Refuse what needs the whole pool at once.

    Raises:
        ConfigError: naming the key.
    """
    recipe = settings.recipe
    known = [AUTO, *(name for name in selection_names() if get_selection(name).large)]
    options = {"no_objects": recipe.no_objects, **recipe.options}
    refuse(
        {
            "purpose must be label": recipe.purpose != "label",
            "acquisition.calibrate must be off": recipe.calibrate != "off",
            "acquisition.no_objects must be first or last": options["no_objects"] == "quota",
            "acquisition.options.class_quality must be given": (
                options.get("class_weights") == "difficulty" and not options.get("class_quality")
            ),
            f"selection.method must be one of {', '.join(known)}": recipe.selection not in known,
            "source.predictions must be left out": settings.source.predictions is not None,
            "source.model must be left out": settings.source.model is not None,
            "source.embeddings must be left out": settings.source.embeddings is not None,
        }
    )
    check_choice(recipe)


def recipe_of_parts(
    settings: Config,
    platform: Streams,
    parts: list[Part],
    first: Pool,
    counts: Mapping[str, int] | None = None,
    asked: Recipe | None = None,
) -> Recipe:
    """The recipe by which all parts are scored; it follows from the first that can be read.

    Args:
        settings: the configuration.
        platform: reads the parts.
        parts: of the pool.
        first: the first of them that can be read.
        counts: labelled objects of each class, over all parts; None where nobody counted them.
        asked: the recipe with everything open; that of the configuration when None.

    Raises:
        ConfigError: if the configuration asks for what needs the whole pool at once.
        InvalidInput: if the parts lack what is needed.
    """
    asked = asked or settings.recipe
    pool = with_labels(first, counts)
    n_labels = _labels(settings, platform, parts, pool) if asked.selection == AUTO else None
    recipe = with_weights(resolved(asked, pool, n_labels), counts)
    _check_classes(recipe, asked, pool)
    check_choice(recipe)
    try_limits(recipe, pool)
    return recipe


def check_included(settings: Config, platform: Streams, parts: Sequence[Part]) -> None:
    """Look for the items that come first, until all are found, before any part is scored.

    Raises:
        InvalidInput: if one can't come first; see `Constraints.included`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    limits = settings.recipe.constraints
    wanted = pa.array([*map(str, limits.include)], pa.string())
    ids: list[str] = []
    labelled: list[bool] = []
    for part in parts:
        if len(ids) >= len(wanted):
            break
        read = readable(settings, platform, part)
        if read is not None:
            rows = np.flatnonzero(pc.is_in(read[1], wanted).to_numpy(zero_copy_only=False))
            ids += map(str, read[1].take(pa.array(rows)).to_pylist())
            labelled += read[0].labelled[rows].tolist()
    limits.included(Pool(ids, labelled=np.array(labelled, dtype=bool)))


def _labels(settings: Config, platform: Streams, parts: list[Part], first: Pool) -> tuple[int, int]:
    """How many labelled items with an embedding there are, at least, and `few_labels`."""
    classes = None if first.probabilities is None else first.probabilities.shape[-1]
    enough, n_labels, seen = few_labels(classes), 0, set[int]()
    if first.embeddings is None:
        return n_labels, enough
    for part in parts:
        read = readable(settings, platform, part)
        if read is None or not read[0].labelled.any():
            continue  # its embeddings, which are most of it, need not be read
        pool, _ = platform.read_part(part, ("embedding",))
        if pool.embeddings is None:
            break
        known = pool.labelled & finite_rows(Points(pool.embeddings))
        n_labels += int(known.sum())
        if pool.labels is not None:
            seen.update(pool.labels[known].tolist())
        if n_labels >= enough:
            break
    return n_labels, few_labels(classes, len(seen) or None)


def _check_classes(recipe: Recipe, asked: Recipe, pool: Pool) -> None:
    """Refuse to count the classes of one part where their number decides.

    Raises:
        ConfigError: if nobody says how many.
    """
    vectors = any(objects.probabilities is not None for objects in pool.object_sets)
    derived = any(n.code == "derived_classes" for n in pool.notices)
    asking = []
    name, method = recipe.acquisition, recipe.method
    if name is not None and "n_classes" in get_acquisition(name).own_options:
        asking += [name] if (derived or pool.classes is None) and not vectors else []
    if "n_clusters" in method.required and derived:
        asking += [] if "n_clusters" in asked.selection_options else [method.name]
    if asking and recipe.options.get("n_classes") is None:
        raise ConfigError(
            f"source.classes must name the classes for {asking[0]} of a pool that is read in "
            "parts.",
            hint="it depends on how many classes there are, and one part may lack some.",
        )


def for_one_part(asked: Recipe, of_parts: Recipe) -> Recipe:
    """What is asked, for one part: with the method that suits all, and without limits.

    Args:
        asked: by the configuration.
        of_parts: the recipe for all parts; one part alone may not be able to keep its limits.
    """
    if asked.selection != AUTO:
        return replace(asked, limits={})
    reasons = {**asked.reasons, "selection": of_parts.reasons["selection"]}
    return replace(
        asked,
        limits={},
        selection=of_parts.selection,
        selection_options=of_parts.selection_options,
        space=of_parts.space,
        reasons=reasons,
    )


def first_pool(settings: Config, platform: Streams, parts: list[Part]) -> Pool:
    """The first part that can be read.

    Raises:
        NotFound: if there is none.
        InvalidInput: if the first cannot be read, and broken parts are not to be skipped.
    """
    return next(_pools(settings, platform, parts))[0]


def parts_to_look_at(
    settings: Config, platform: Streams, parts: list[Part]
) -> tuple[Pool, Pool, pa.Array, int]:
    """The first part that can be read, and the first with an item that can be ranked, if any has.

    Returns:
        The items of both; of the second, its ids and its position in `parts`, too.

    Raises:
        NotFound: if there is none.
        InvalidInput: if one before it cannot be read, and broken parts are not to be skipped.
    """
    first = None
    for pool, ids, position in _pools(settings, platform, parts):
        first = first or (pool, ids, position)
        if pool.candidates.any() and not pool.missing[pool.candidates].all():
            return first[0], pool, ids, position
    assert first is not None, "_pools has one or raises"
    return first[0], *first


def _pools(
    settings: Config, platform: Streams, parts: list[Part]
) -> Iterator[tuple[Pool, pa.Array, int]]:
    """The parts that can be read, each with its ids and its position; at least one."""
    found = False
    for position, part in enumerate(parts):
        read = readable(settings, platform, part, ("embedding", "group"))
        if read is not None:
            found = True
            yield *read, position
    if not found:
        raise NotFound("the source must hold a part that can be read; got none.")


def readable(
    settings: Config, platform: Streams, part: Part, more: Sequence[str] = ()
) -> tuple[Pool, pa.Array] | None:
    """The items of a part and their ids; None if it can't be read and is to be left out.

    Raises:
        InvalidInput: if it can't be read, and broken parts are not to be skipped.
    """
    try:
        return platform.read_part(part, more)
    except InvalidInput as error:
        if skips(settings):
            return None
        error.message = f"{part.name}: {error.message}"
        raise


def skips(settings: Config) -> bool:
    """Whether parts that cannot be read are counted and left out."""
    return bool(getattr(settings.source_options, "broken", "stop") == "skip")
