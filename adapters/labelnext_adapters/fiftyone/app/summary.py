"""A run as it stands now, from what the dataset holds: for the App's panel, and for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import NotFound
from labelnext.ranking.reasons import doubt, reason
from labelnext.ranking.recipe import Recipe
from labelnext.support.histogram import histogram
from labelnext_adapters.fiftyone.app.foreseen import Kept
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.fields import PREFIX, documents, items_of
from labelnext_adapters.fiftyone.database.values import fetch, flat, floats
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.read.count import is_labelled
from labelnext_adapters.fiftyone.read.fetched import fetched_fields, fetched_ids
from labelnext_adapters.fiftyone.read.label_types import kind_of
from labelnext_adapters.fiftyone.read.own_runs import run_config
from labelnext_adapters.fiftyone.read.read import read_pool

_BINS = 30
_NEXT = 20


@dataclass(frozen=True)
class RunSummary:
    """What a person wants to know of a run.

    Attributes:
        run: its name.
        acquisition: the acquisition function, or None.
        selection: the selection method.
        reasons: what was left to labelnext, by key, and why it is so; empty for runs of earlier
            versions.
        reviewed: whether labels are ranked, the most doubtful first.
        items: what is ranked, samples or frames.
        n_ranked: samples that have a rank.
        n_batch: size of the batch.
        n_labelled: samples of the batch that are labelled now; None if the run does not know
            where labels are.
        edges: of the score histogram, shape (n_bins + 1,); empty without scores.
        pool: samples in each bin, shape (n_bins,).
        batch: of those, samples of the batch.
        classes: for each predicted class how often it is in the ranked samples and in the batch,
            the commonest first.
        groups: the same for each group of samples: the run's, else by tag.
        groups_are: what the groups are, such as "tag" or a field; empty without any.
        next_items: the next samples that are not labelled: rank, id, name, path of the media,
            score and reason.
    """

    run: str
    acquisition: str | None
    selection: str
    reasons: Mapping[str, str]
    reviewed: bool
    items: str
    n_ranked: int
    n_batch: int
    n_labelled: int | None
    edges: tuple[float, ...]
    pool: tuple[int, ...]
    batch: tuple[int, ...]
    classes: tuple[tuple[str, int, int], ...]
    groups: tuple[tuple[str, int, int], ...]
    groups_are: str
    next_items: tuple[dict[str, Any], ...]


def summarise_run(dataset: Any, run: str) -> RunSummary:
    """The run as it stands now: labels that were added since it was made count.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if there is no such run.
    """
    summary: RunSummary = _SUMMARIES.of_run(
        dataset, run, lambda config: _summary(dataset, run, config)
    )
    return summary


_SUMMARIES = Kept(8)


def _summary(dataset: Any, run: str, config: Any) -> RunSummary:
    samples = items_of(dataset, config)
    if samples.get_field(run) is None:
        raise NotFound(
            f"The ranking {run} can't be shown: its field {run} was deleted.",
            hint="rank again, or delete what is left of it under Manage.",
        )
    ranked = samples.exists(f"{run}.rank")
    with talking():
        columns = fetch(ranked, ["id", f"{run}.rank", f"{run}.score"])
    ranks = np.array(columns[f"{run}.rank"], dtype=np.int64)
    scores = floats(columns[f"{run}.score"])
    in_batch = ranks <= config.n_batch
    order = np.argsort(ranks)
    ids = [columns["id"][i] for i in order[: int(in_batch.sum())]]
    reviewed = _is_review(config)
    labelled = None if reviewed else _labelled(samples, config, ids)
    edges, pool, batch = _histogram(scores, in_batch)
    groups, groups_are = _groups(ranked, config, in_batch)
    waiting = [i for i in ids if labelled is None or i not in labelled]
    return RunSummary(
        run=run,
        acquisition=config.acquisition,
        selection=config.selection,
        reasons=_reasons(config),
        reviewed=reviewed,
        items="frames" if getattr(config, "frames", False) else "samples",
        n_ranked=len(ranks),
        n_batch=len(ids),
        n_labelled=None if labelled is None else len(labelled),
        edges=edges,
        pool=pool,
        batch=batch,
        classes=_classes(ranked, config, in_batch),
        groups=groups,
        groups_are=groups_are,
        next_items=tuple(_next_items(samples, run, config, waiting[:_NEXT])),
    )


def n_shown(dataset: Any, run: str, view: Any, *, n_ranked: int) -> int:
    """How many of a run's samples or frames a view shows.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
        view: of that dataset.
        n_ranked: how many there are.

    Raises:
        NotFound: if there is no such run.
    """
    stages = json.dumps(view._serialize(include_uuids=False), default=str)
    n: int = _COUNTS.of_run(
        dataset, run, lambda config: _n_shown(dataset, config, view, n_ranked), which=stages
    )
    return n


_COUNTS = Kept(50)


def _n_shown(dataset: Any, config: Any, view: Any, n_ranked: int) -> int:
    from fiftyone import Exists, SortBy, ViewField

    path = f"{config.field}.rank"
    if view._is_generated:
        return _n_copied(dataset, config.field, view)
    if path.startswith(PREFIX) or view.get_field(path) is None:  # whole videos show no frames
        return 0
    stages = list(view.view()._stages)
    while stages and isinstance(stages[-1], SortBy):
        stages.pop()  # sorting takes longer than counting
    if all(type(s) is Exists and s.field == path and s.bool is not False for s in stages):
        return n_ranked
    if len(stages) < len(view.view()._stages):
        view = view._root_dataset.view()
        for stage in stages:
            view = view.add_stage(stage)
    with talking():
        # A sum, because by the index of the ranks MongoDB would fetch nearly all one by one.
        return int(view.match(ViewField(path) + 0 > 0).count())


def _n_copied(dataset: Any, field: str, view: Any) -> int:
    """How many ranked samples or frames a view of frames, patches or clips shows.

    It shows copies, which may be older than the ranking.
    """
    collection, inside = documents(dataset, field)
    own = "sample_id"
    if field.startswith(PREFIX):
        own = "frame_id" if view.get_field("frame_id") is not None else "id"
        if not view._is_frames:
            return 0
    with talking():
        ranked = collection.find({f"{inside}.rank": {"$gt": 0}}, {"_id": True})
        return len({str(one["_id"]) for one in ranked}.intersection(map(str, view.values(own))))


def scores_view(dataset: Any, run: str, low: float, high: float, *, last: bool = False) -> Any:
    """The samples with a score in [low, high), in the order of their ranks.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
        low: smallest score.
        high: end of the scores.
        last: whether `high` itself belongs to them, as in the last bin of a histogram.

    Raises:
        NotFound: if there is no such run.
    """
    from fiftyone import ViewField

    config = run_config(dataset, run)
    score = ViewField(f"{run}.score")
    below = score <= high if last else score < high
    samples = items_of(dataset, config)
    return samples.match((score >= low) & below).sort_by(f"{run}.rank")


def _reasons(config: Any) -> Mapping[str, str]:
    """The reasons of the run's recipe, and what else the order goes by."""
    stored = getattr(config, "recipe", None)
    if stored is None:
        return {}
    recipe = Recipe.from_dict(json.loads(stored))
    if not recipe.likeness.get("similar_to"):
        return recipe.reasons
    weighed = "the order also weighs how much each sample is like those that were chosen."
    return {**recipe.reasons, "similar_to": weighed}


def _histogram(
    scores: NDArray[np.float64], in_batch: NDArray[np.bool_]
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    finite = np.isfinite(scores)
    if not finite.any():
        return (), (), ()
    ends = float(scores[finite].min()), float(scores[finite].max())
    pool, edges = histogram(scores[finite], *ends, _BINS)
    batch, _ = histogram(scores[finite & in_batch], *ends, _BINS)
    return tuple(edges.tolist()), tuple(pool.tolist()), tuple(batch.tolist())


def _labelled(samples: Any, config: Any, ids: Sequence[str]) -> set[str] | None:
    """The samples of the batch that are labelled now."""
    gt_field, tag = getattr(config, "gt_field", None), getattr(config, "label_tag", None)
    unknown = gt_field is None or samples.get_field(gt_field) is None
    if unknown and tag is None and not fetched_fields(samples):
        return None
    batch = samples.select(ids)
    fetched = fetched_ids(batch)
    with talking():
        if gt_field is not None and samples.get_field(gt_field) is not None:
            fetched.update(batch.match(is_labelled(batch, gt_field)).values("id"))
        if tag:
            fetched.update(batch.match_tags(tag).values("id"))
    return fetched


def _classes(
    ranked: Any, config: Any, in_batch: NDArray[np.bool_]
) -> tuple[tuple[str, int, int], ...]:
    field = next(iter(pred_fields(config)), None)
    if field is None or ranked.get_field(field) is None:
        return ()
    kind = kind_of(ranked, "pred_field", field)
    if kind.scalar:
        return ()
    path = f"{kind.path(field)}.label"
    with talking():
        labels = fetch(ranked, [path])[path]
    rows = labels if kind.listed else [[label] for label in labels]
    pool = Counter(label for label in flat(rows) if label)
    chosen = [row for row, inside in zip(rows, in_batch.tolist(), strict=True) if inside]
    batch = Counter(label for label in flat(chosen) if label)
    return tuple((str(label), n, batch[label]) for label, n in pool.most_common())


def _groups(
    ranked: Any, config: Any, in_batch: NDArray[np.bool_]
) -> tuple[tuple[tuple[str, int, int], ...], str]:
    """How often each group is in the ranked samples and in the batch, and what the groups are."""
    groups = getattr(config, "groups", None)
    frames = getattr(config, "frames", False)
    if isinstance(groups, str) and ranked.get_field(groups) is not None:
        path, named = groups, groups
    elif frames:
        path, named = "sample_id", "video"
    else:
        path, named = "tags", "tag"
    with talking():
        values = fetch(ranked, [path])[path]
    if path == "sample_id":
        names = _video_names(ranked._root_dataset)
        values = [names.get(video, video) for video in values]
    lists = values if path == "tags" else [[] if v is None else [str(v)] for v in values]
    pool = Counter(flat(lists))
    chosen = [row for row, inside in zip(lists, in_batch.tolist(), strict=True) if inside]
    batch = Counter(flat(chosen))
    counts = tuple((str(name), n, batch[name]) for name, n in pool.most_common())
    return (counts, named) if len(counts) > 1 else ((), "")


def _video_names(dataset: Any) -> dict[str, str]:
    """The names of the files of videos by id; whole paths where two have one name."""
    with talking():
        columns = fetch(dataset, ["id", "filepath"])
    ids, paths = columns["id"], columns["filepath"]
    names = [path.rpartition("/")[2] for path in paths]
    return dict(zip(ids, names if len({*names}) == len(ids) else paths, strict=True))


def pred_fields(config: Any) -> tuple[str, ...]:
    """The prediction fields that a run was made from."""
    stored = getattr(config, "pred_field", None)
    return (stored,) if isinstance(stored, str) else tuple(stored or ())


def _is_review(config: Any) -> bool:
    return getattr(config, "purpose", None) == "review"


def media_field(samples: Any) -> str:
    """The field with the images that FiftyOne's grid shows: small ones, where there are any."""
    field = str(samples._root_dataset.app_config.grid_media_field or "filepath")
    return field if samples.get_field(field) is not None else "filepath"


def _next_items(samples: Any, run: str, config: Any, ids: Sequence[str]) -> list[dict[str, Any]]:
    view = samples.select(ids, ordered=True)
    fields = [name for name in pred_fields(config) if samples.get_field(name) is not None]
    truth = getattr(config, "gt_field", None) if _is_review(config) else None
    source = FiftyOneSource(
        dataset=samples,
        frames=getattr(config, "frames", False),
        pred_field=fields or None,  # without those that were deleted since
        gt_field=truth if truth and samples.get_field(truth) is not None else None,
        pred_values=getattr(config, "pred_values", "confidence"),
    )
    pool = read_pool(view, source, None)
    say = doubt if _is_review(config) else reason
    shown = media_field(samples)
    paths = ["id", "filepath", shown, f"{run}.rank", f"{run}.score"]
    with talking():
        columns = fetch(view, [*paths, "frame_number"] if source.frames else paths)
    names = [str(path).rpartition("/")[2] for path in columns["filepath"]]
    media = columns[shown]
    if source.frames:
        names = [f"{n} #{at}" for n, at in zip(names, columns["frame_number"], strict=True)]
    rows = zip(columns["id"], names, columns[f"{run}.rank"], columns[f"{run}.score"], strict=True)
    return [
        {
            "rank": rank,
            "id": i,
            "name": name,
            "path": path,
            "score": score,
            "reason": say(pool, at, config.of),
        }
        for at, ((i, name, rank, score), path) in enumerate(zip(rows, media, strict=True))
    ]
