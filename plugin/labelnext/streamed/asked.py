"""What the configuration asks of a pool that is read in parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from labelnext.acquisition import AUTO, auto_acquisition, get_acquisition
from labelnext.adapter import Part, Streams
from labelnext.config import Config
from labelnext.errors import ConfigError, InvalidInput, NotFound
from labelnext.pool import Pool
from labelnext.ranking import routed
from labelnext.scoring import ranking_options
from labelnext.selection import SelectionMethod, get_selection
from labelnext.selection.constraints import Constraints
from labelnext.streamed.choice import CLUSTERED, ROUNDS, choice_of
from labelnext.streamed.counting import with_labels, with_weights
from labelnext.streamed.scoring import Scoring


def check_streamable(settings: Config) -> None:
    """Refuse what needs the whole pool at once.

    Raises:
        ConfigError: naming the key.
    """
    acquisition, selection = settings.acquisition, settings.selection
    known = ("top_k", "stochastic", *CLUSTERED, *ROUNDS)
    options = {"reduce": acquisition.reduce, **acquisition.options}
    quota = {"no_objects": acquisition.no_objects, **acquisition.options}["no_objects"] == "quota"
    wrong = {
        "purpose must be label": settings.rest.purpose != "label",
        "acquisition.calibrate must be off": acquisition.calibrate != "off",
        "acquisition.no_objects must be first or last": quota,
        "acquisition.options.class_quality must be given": (
            options.get("class_weights") == "difficulty" and not options.get("class_quality")
        ),
        f"selection.method must be one of {', '.join(known)}": selection.method not in known,
        "source.predictions must be left out": settings.source.predictions is not None,
    }
    for rule, broken in wrong.items():
        if broken:
            raise ConfigError(
                f"{rule} for a pool that is read in parts.",
                hint="the rest needs the whole pool in memory: give one file as source.path.",
            )


def scoring_of(
    settings: Config,
    platform: Streams,
    parts: list[Part],
    run_id: str,
    counts: Mapping[str, int] | None = None,
) -> Scoring:
    """How the parts are scored; what is scored follows from the first of them that can be read.

    Args:
        settings: the configuration.
        platform: reads the parts.
        parts: of the pool.
        run_id: of the run; empty before it begins.
        counts: labelled objects of each class, over all parts; None where nobody counted them.

    Raises:
        NotFound: if there is none.
        ConfigError: if the configuration asks for what needs the whole pool at once.
        InvalidInput: if the parts lack what is needed.
    """
    pool = with_labels(first_pool(settings, platform, parts), counts)
    name, of, options = ranking_options(settings, pool)
    options = with_weights(options, counts)
    method = get_selection(settings.selection.method)
    _check_classes(name, method, options, pool)
    if name is None and "utilities" in method.needs:
        raise InvalidInput(
            "the parts must hold class probabilities or objects, and acquisition.name a function; "
            f"{method.name} needs scores."
        )
    return Scoring(
        name,
        of,
        routed(name, method, options)[0],
        f"{run_id}/scores",
        skip_broken=skips(settings),
        choice=choice_of(settings, name, options, pool),
        why=str(auto_acquisition(pool, of))
        if settings.acquisition.name == AUTO and name != "margin"  # which goes without saying
        else None,
    )


def _check_classes(
    name: str | None, method: SelectionMethod, options: dict[str, Any], pool: Pool
) -> None:
    """Refuse to count the classes of one part where their number decides.

    Raises:
        ConfigError: if nobody says how many.
    """
    sets = pool.objects if isinstance(pool.objects, tuple) else (pool.objects,)
    vectors = any(o is not None and o.probabilities is not None for o in sets)
    derived = any(n.code == "derived_classes" for n in pool.notices)
    asking = []
    if name is not None and "n_classes" in get_acquisition(name).own_options:
        asking += [name] if (derived or pool.classes is None) and not vectors else []
    if "n_clusters" in method.required and derived:
        asking += [] if "n_clusters" in options else [method.name]
    if asking and options.get("n_classes") is None:
        raise ConfigError(
            f"source.classes must name the classes for {asking[0]} of a pool that is read in "
            "parts.",
            hint="their number decides, and a part may not hold all of them.",
        )


def without_limits(settings: Config) -> Config:
    """The same but for what the batch must keep to, which one part alone may not be able to."""
    names = {f.name for f in fields(Constraints)}
    left = {n: v for n, v in settings.selection.options.items() if n not in names}
    selection = settings.selection.model_copy(update={"options": left})
    return replace(settings, selection=selection)


def first_pool(settings: Config, platform: Streams, parts: list[Part]) -> Pool:
    """The first part that can be read.

    Raises:
        NotFound: if there is none.
        InvalidInput: if the first cannot be read, and broken parts are not to be skipped.
    """
    for part in parts:
        try:
            return platform.read_part(part, ("embedding", "group"))[0]
        except InvalidInput as error:
            if not skips(settings):
                error.message = f"{part.name}: {error.message}"
                raise
    raise NotFound("the source must hold a part that can be read; got none.")


def skips(settings: Config) -> bool:
    """Whether parts that cannot be read are counted and left out."""
    return bool(getattr(settings.source_options, "broken", "stop") == "skip")
