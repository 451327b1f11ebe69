"""What the configuration asks of a pool that is read in parts."""

from __future__ import annotations

from dataclasses import fields, replace

from labelnext.adapter import Part, Streams
from labelnext.config import Config
from labelnext.errors import ConfigError, InvalidInput, NotFound
from labelnext.pool import Pool
from labelnext.ranking import routed
from labelnext.scoring import ranking_options
from labelnext.selection import get_selection
from labelnext.selection.constraints import Constraints
from labelnext.streamed.choice import CLUSTERED, ROUNDS, choice_of
from labelnext.streamed.scoring import Scoring


def check_streamable(settings: Config) -> None:
    """Refuse what needs the whole pool at once.

    Raises:
        ConfigError: naming the key.
    """
    acquisition, selection = settings.acquisition, settings.selection
    known = ("top_k", *CLUSTERED, *ROUNDS)
    options = {"reduce": acquisition.reduce, **acquisition.options}
    quota = {"no_objects": acquisition.no_objects, **acquisition.options}["no_objects"] == "quota"
    wrong = {
        "purpose must be label": settings.rest.purpose != "label",
        "acquisition.calibrate must be off": acquisition.calibrate != "off",
        "acquisition.no_objects must be first or last": quota,
        "acquisition.options.class_weights must be given as numbers, one for each class,": (
            options["reduce"] == "weighted_sum"
            and not isinstance(options.get("class_weights"), (list, dict))
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


def scoring_of(settings: Config, platform: Streams, parts: list[Part], run_id: str) -> Scoring:
    """How the parts are scored; what is scored follows from the first of them that can be read.

    Raises:
        NotFound: if there is none.
        ConfigError: if the configuration asks for what needs the whole pool at once.
        InvalidInput: if the parts lack what is needed.
    """
    # Nobody has counted the labelled objects of all parts, so that auto does without them.
    pool = replace(first_pool(settings, platform, parts), truth=None)
    name, of, options = ranking_options(settings, pool)
    method = get_selection(settings.selection.method)
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
