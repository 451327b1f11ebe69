"""A Ranking to a plan: one embedded field, its index, two saved views and a custom run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, InvalidInput, listed
from labelnext.journal.plan import Plan, Step
from labelnext.ranking.ranking import Ranking
from labelnext.support.started import CONFIG, config_at_work, how
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.fields import field_path, slices_in, with_field
from labelnext_adapters.fiftyone.database.object_scores import (
    completed,
    label_ids,
    matched,
    refuse_foreign_attribute,
)
from labelnext_adapters.fiftyone.database.values import fetch, keyed
from labelnext_adapters.fiftyone.database.views import VIEW_LIMIT, view_names
from labelnext_adapters.fiftyone.options import FiftyOneSource, FiftyOneWrite
from labelnext_adapters.fiftyone.read.label_types import kind_of
from labelnext_adapters.fiftyone.read.own_runs import check_run_name, refuse_foreign, registered
from labelnext_adapters.fiftyone.write.prelabels import prelabel_plan


def plan_ranking(
    collection: Any,
    source: FiftyOneSource,
    write: FiftyOneWrite,
    context: Context,
    ranking: Ranking,
    *,
    known: Sequence[str] | None = None,
) -> Plan:
    """What writing a ranking would do, with what the run tells people of its source.

    Args:
        collection: what was ranked.
        source: where it was read.
        write: how it is written.
        context: with the key.
        ranking: of its samples.
        known: ids of the samples, if they were just read; the database is asked when None.

    Raises:
        ConfigError: if scores of objects are asked for, and there is no one list of labels.
        InvalidInput: if the run's name cannot be a field, or the ranking holds unknown items.
        WriteRefused: if something of that name is not labelnext's.
    """
    details = {
        "acquisition": ranking.acquisition,
        "of": ranking.of,
        "direction": ranking.direction,
        "selection": ranking.selection,
        "seed": ranking.seed,
        "view": source.view,
        "slice": source.slice,
        "frames": source.frames,
        "pred_field": source.pred_field,
        "pred_values": source.pred_values,
        "gt_field": source.gt_field,
        "label_tag": source.label_tag,
        "groups": source.groups,
        "embeddings": source.embeddings,
        "purpose": ranking.purpose,
        # As text: names of classes may hold what is special in a key of the database.
        "recipe": None if ranking.recipe is None else json.dumps(ranking.recipe.to_dict()),
    }
    if details["slice"] is None:
        details["slice"] = slices_in(collection)
    labels = _scored_labels(collection, source) if write.objects else None
    samples = _samples(collection, context.key, known)
    check_run_name(write.run)
    prelabels = prelabel_plan(collection, source, context.key, ranking.prelabels, write.run)
    details["prelabels"] = prelabels.run if prelabels.steps else None
    plan = make_plan(collection, ranking, write.run, samples, details, labels)
    return replace(plan, steps=(*plan.steps, *prelabels.steps), left_out=prelabels.left_out)


def _scored_labels(collection: Any, source: FiftyOneSource) -> str:
    """The path of the labels that scores of objects are set on."""
    fields = source.pred_fields
    kind = kind_of(collection, "pred_field", fields[0]) if len(fields) == 1 else None
    if kind is None or kind.listed is None:
        raise ConfigError(
            "write.objects must be left out unless source.pred_field is one field of a list of "
            f"labels; got {source.pred_field!r}."
        )
    return kind.path(fields[0])


def make_plan(
    collection: Any,
    ranking: Ranking,
    run: str,
    samples: Mapping[str, str],
    details: Mapping[str, Any],
    labels: str | None = None,
) -> Plan:
    """What writing the ranking would do.

    Args:
        collection: what was ranked.
        ranking: of its samples.
        run: name of the run.
        samples: the id of each item's sample, by the ids of the ranking.
        details: what the run tells people, and the slice of a grouped dataset.
        labels: path of the labels that get the ranking's scores of objects; None to write none.

    Raises:
        InvalidInput: if the ranking holds unknown items.
        WriteRefused: if something of that name is not labelnext's.
    """
    from labelnext_adapters.fiftyone.runs import object_field

    dataset, frames = collection._root_dataset, bool(details.get("frames"))
    field = field_path(run, frames)
    with talking():
        refuse_foreign(dataset, run, field)
        earlier = with_field(dataset, field)
    order = ranking.pool_order.tolist()
    unknown = [i for i in order if i not in samples]
    if unknown:
        raise InvalidInput(
            f"ranking must hold samples of {dataset.name}; {len(unknown)} are not: "
            f"{listed(unknown)}."
        )
    ranked = [samples[i] for i in order]
    scores = [None if x != x else x for x in ranking.pool_scores.tolist()]
    stale = sorted(earlier.keys() - set(ranked))
    config = registered(dataset, run)
    steps: list[Step] = []
    if ranked or stale or config is not None:
        of_objects = None if labels is None else field_path(f"{labels}.{run}", frames)
        told = {**details, "objects": of_objects}
        where = {
            "dataset": dataset.name, "dataset_id": str(dataset._doc.id), "run": run, "field": field
        }  # fmt: skip
        steps = _steps(where, ranked, scores, stale, ranking, told)
        of_earlier = None if config is None else object_field(dataset, config)
        paths = list(dict.fromkeys(path for path in (of_objects, of_earlier) if path))
        if paths:
            steps.insert(2, _objects_step(collection, ranking, where, samples, labels, paths))
    return Plan(
        "fiftyone",
        run,
        dataset.name,
        tuple(steps),
        next_steps=_next_steps(dataset, run, steps, ranked),
    )


def _samples(collection: Any, key: str | None, known: Sequence[str] | None) -> dict[str, str]:
    """The id of each item's sample, by the item's own."""
    if known is not None:
        return dict(zip(known, known, strict=True))
    with talking():
        columns = fetch(collection, ["id", key] if key else ["id"])
    ids = keyed(columns["id"], columns[key] if key else None, key)
    return dict(zip(ids, columns["id"], strict=True))


def _steps(
    where: Mapping[str, str],
    ranked: list[str],
    scores: list[float | None],
    stale: list[str],
    ranking: Ranking,
    details: Mapping[str, Any],
) -> list[Step]:
    run, field, n_batch = where["run"], where["field"], len(ranking)
    config = {**details, "n_ranked": len(ranked), "n_batch": n_batch}
    items = "frames" if details.get("frames") else "samples"
    batch, everything = view_names(run)
    cleared = f", clear it on {len(stale):,} no longer ranked" if stale else ""
    frozen = ranked[:n_batch] if n_batch <= VIEW_LIMIT else None
    return [
        Step(
            "register",
            f"Register the custom run {run}",
            0,
            {**where, "config": config, "batch": frozen},
        ),
        Step(
            "scores",
            f"Set {field}.score, .priority and .rank on "
            f"{counted(len(ranked), items[:-1])}{cleared}",
            len(ranked) + len(stale),
            {**where, "ids": ranked, "scores": scores, "stale": stale},
        ),
        Step("index", f"Create an index on {field}.rank", 0, where),
        Step(
            "views",
            f"Save the views {batch} ({counted(n_batch, items[:-1])}) and {everything} "
            f"({len(ranked):,})",
            n_batch,
            {**where, "batch": n_batch if frozen is None else frozen},
        ),
    ]


def _objects_step(
    collection: Any,
    ranking: Ranking,
    where: Mapping[str, str],
    samples: Mapping[str, str],
    labels: str | None,
    paths: list[str],
) -> Step:
    """Scores of the objects of what is ranked; those of an earlier run go."""
    dataset = collection._root_dataset
    placed: dict[str, Any] = {**where, "paths": paths}
    if labels is None:
        return Step("objects", f"Remove {paths[0]}", 0, {**placed, "path": None, "scores": {}})
    path = paths[0]
    with talking():
        refuse_foreign_attribute(dataset, path)
        ids = label_ids(collection, labels)
    known = ranking.object_scores or {}
    ranked = {samples[i]: known[i] for i in ranking.pool_order.tolist() if i in known}
    scores = matched(ids, ranked)
    n = sum(map(len, scores.values()))
    with talking():
        everything = completed(dataset, path, scores)
    return Step(
        "objects",
        f"Set {path} on {counted(n, 'object')} of {counted(len(scores), 'item')}",
        len(scores),
        {**placed, "path": path, "scores": everything},
    )


def _next_steps(dataset: Any, run: str, steps: list[Step], ranked: list[str]) -> tuple[str, ...]:
    if not steps:
        return ("Nothing is left to rank, so nothing is written.",)
    view = view_names(run)[0]
    if not ranked:
        lines = []  # the views are empty
    elif config_at_work() is not None:
        lines = [f"Open the App on the saved view {view}: {how('app', CONFIG)}"]
    else:
        launch = how("app", "launch", dataset.name, program="fiftyone")
        lines = [f"Open the App with `{launch}` and pick the saved view {view}."]
    if not dataset.persistent:
        lines.append(
            "Set dataset.persistent = True to keep the dataset: FiftyOne deletes it at exit."
        )
    return tuple(lines)
