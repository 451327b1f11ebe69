"""What the configuration asks to be scored and chosen, for a pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from labelnext.acquisition import AUTO, Unit, auto_acquisition, get_acquisition
from labelnext.calibrated import calibrated_ranking, saturated
from labelnext.config import Config
from labelnext.document import parse
from labelnext.errors import ConfigError
from labelnext.pool import Notice, Pool
from labelnext.ranking import Ranking, rank
from labelnext.reviews import review


def rank_pool(settings: Config, pool: Pool) -> Ranking:
    """The ranking that the configuration asks for."""
    acquisition, selection = settings.acquisition, settings.selection
    if settings.rest.purpose == "review":
        return _reviewed(settings, pool)
    _, of, options = ranking_options(settings, pool)

    def ranked(items: Pool) -> Ranking:
        return rank(
            items,
            acquisition.name,
            budget=selection.budget,
            selection=selection.method,
            seed=selection.seed,
            of=of,
            **options,
        )

    if acquisition.calibrate == "auto" and of == "items":
        return calibrated_ranking(pool, ranked)
    ranking = ranked(pool)
    notices = [warning] if of is not None and (warning := saturated(pool)) else []
    if acquisition.calibrate == "auto":
        message = "calibrate: auto is for the probabilities of items; objects are used as they are."
        notices.append(Notice("calibration_skipped", message))
    return replace(ranking, notices=(*ranking.notices, *notices))


def with_object_scores(settings: Config, pool: Pool, ranking: Ranking) -> Ranking:
    """The ranking with a score for each object.

    Raises:
        ConfigError: if items are scored by themselves.
    """
    if ranking.of != "objects" or ranking.acquisition is None:
        raise ConfigError(
            "write.objects must be left out unless objects are scored; "
            f"got {ranking.acquisition or 'no acquisition function'} of {ranking.of or 'items'}.",
            hint="acquisition.of: objects scores an item by its objects.",
        )
    function = get_acquisition(ranking.acquisition)
    _, _, options = ranking_options(settings, pool)
    chosen = {name: value for name, value in options.items() if name in function.options}
    return replace(ranking, object_scores=function.score_objects(pool, **chosen))


def _reviewed(settings: Config, pool: Pool) -> Ranking:
    ranking = review(pool, score=settings.review.score, budget=settings.selection.budget)
    given = settings.selection.model_fields_set - {"budget", "seed"}
    idle = [f"selection.{name}" for name in sorted(given)]
    idle += ["acquisition"] if settings.acquisition.model_fields_set else []
    if not idle:
        return ranking
    message = f"labels are ranked by their quality, so {', '.join(idle)} had no part in it."
    return replace(ranking, notices=(*ranking.notices, Notice("idle_options", message)))


def ranking_options(settings: Config, pool: Pool) -> tuple[str | None, Unit | None, dict[str, Any]]:
    """The function, what it scores, and the options of scoring and selection.

    As the configuration has them; what it leaves open follows from the pool.
    """
    acquisition, selection = settings.acquisition, settings.selection
    options = {**acquisition.options, **selection.options}
    twice = acquisition.options.keys() & selection.options.keys()
    if twice:
        raise ConfigError(
            f"option {min(twice)} must stand in acquisition.options or in selection.options, "
            "not in both."
        )
    name, of = acquisition.name, acquisition.of
    chosen: dict[str, Any] = {}
    if name == AUTO:
        choice = auto_acquisition(pool, of)
        name, of, chosen = choice.name, choice.of or of, dict(choice.options)
    if name is None:
        return None, None, options
    function = get_acquisition(name)
    of = of if of in function.of else function.of[0]
    if of == "objects" or pool.multilabel:
        names = ("reduce", "floor", "no_objects") if of == "objects" else ("reduce",)
        stated = {n: getattr(acquisition, n) for n in names if n in function.options}
        chosen |= {n: v for n, v in stated.items() if v is not None}
    options = {**chosen, **options}
    if isinstance(file := options.get("class_quality"), str):
        options["class_quality"] = parse(settings.directory / Path(file).expanduser()).data
    return name, of, options
