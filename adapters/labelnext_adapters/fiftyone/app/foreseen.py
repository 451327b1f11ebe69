"""What a form's ranking would choose, told before it is made, within a second."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labelnext.config.config import Config, load_config
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.ranking import Ranking
from labelnext.ranking.recipe import Recipe
from labelnext.runs.ranked import follow
from labelnext_adapters.fiftyone.database.connection import open_collection, talking
from labelnext_adapters.fiftyone.database.fields import temporary_frames
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.read.own_runs import run_config
from labelnext_adapters.fiftyone.read.read import read_pool

MOST = 3_000  # samples: more are judged by so many, spread evenly over the rest
PATIENCE = 0.9  # seconds
_LEAST = 20  # samples of a batch by whose classes a larger one is judged


@dataclass(frozen=True)
class Foreseen:
    """What a batch would hold.

    Attributes:
        n_batch: its size, in samples.
        n_ranked: how many samples can be ranked.
        counts: predicted classes in the batch, the commonest first: of objects where there are
            any, else of samples; of the samples looked at, where not all are.
        of_objects: whether objects are counted.
        n_empty: samples of the batch without any object that counts, where objects are scored.
        part: how many samples were looked at; None for all.
        acquisition: the acquisition function, or None.
        selection: the selection method.
        reasons: of the recipe, by key.
        of_groups: whether `n_batch` counts groups.
        remarks: sentences on what limits the batch.
    """

    n_batch: int
    n_ranked: int
    counts: tuple[tuple[str, int], ...]
    of_objects: bool
    n_empty: int
    part: int | None
    acquisition: str | None
    selection: str
    reasons: Mapping[str, str]
    of_groups: bool
    remarks: tuple[str, ...]


class Kept:
    """The newest results, by what they were made from.

    Args:
        most: how many results are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result of that key, made if it isn't there."""
        if key not in self._results:
            self._results[key] = make()
        self._results.move_to_end(key)
        while len(self._results) > self._most:
            self._results.popitem(last=False)
        return self._results[key]

    def of_run(
        self, dataset: Any, run: str, make: Callable[[Any], Any], *, which: Hashable = None
    ) -> Any:
        """What was made of a run, as long as the run and the dataset stay as they are.

        Args:
            dataset: a FiftyOne dataset.
            run: name of the run.
            make: ``make(config)`` makes it of the run's configuration.
            which: tells results of one run apart.

        Raises:
            NotFound: if there is no such run.
        """
        config = run_config(dataset, run)

        def made() -> Any:
            with temporary_frames():
                return make(config)

        stamp = str(dataset.get_run_info(run).timestamp)
        return self.get((run, which, stamp, *as_it_stands(dataset)), made)

    def forget(self, key: Hashable) -> None:
        """Drop the result of that key, if there is one."""
        self._results.pop(key, None)


_POOLS, _RESULTS = Kept(2), Kept(50)
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="labelnext-preview")


def as_it_stands(dataset: Any) -> tuple[str, ...]:
    """What changes as soon as any sample of a dataset does.

    Args:
        dataset: a FiftyOne dataset.
    """
    with talking():
        changed = str(dataset.max("last_modified_at"))
        return str(dataset._doc.id), changed, str(dataset.count())


def view_as_it_stands(collection: Any) -> tuple[str, ...]:
    """What changes as soon as the samples of a dataset or view do, its fields or its indexes.

    Args:
        collection: a dataset or view; none that FiftyOne copies samples for.
    """
    dataset = collection._root_dataset
    stages = collection.view()._serialize(include_uuids=False)
    fields = {name: str(field) for name, field in collection.get_field_schema().items()}
    told = [stages, fields, sorted(dataset._doc.brain_methods)]
    return (*as_it_stands(dataset), json.dumps(told, default=str))


def foresee(config: Mapping[str, Any], n_ranked: int) -> Foreseen | None:
    """What a run would choose; None if that takes too long to know now.

    The work goes on meanwhile: the next call has its result.

    Args:
        config: of a run, whose dataset is a dataset or view.
        n_ranked: how many samples can be ranked.

    Raises:
        LabelnextError: as a run would.
    """
    settings = load_config(config)
    collection = config["source"]["dataset"]
    stands = (
        *as_it_stands(collection._root_dataset),
        json.dumps(collection.view()._serialize(include_uuids=False), default=str),
    )
    key = (*stands, _written({**config, "state": None}), n_ranked)
    future: Future[Foreseen] = _RESULTS.get(
        key, lambda: _WORKER.submit(_looked, settings, collection, stands, n_ranked)
    )
    try:
        return future.result(PATIENCE)
    except TooLong:
        return None
    except Exception:
        _RESULTS.forget(key)  # what was wrong may be repaired without a trace in the key
        raise


def _written(config: Mapping[str, Any]) -> str:
    return json.dumps(
        {**config, "source": {k: v for k, v in config["source"].items() if k != "dataset"}},
        default=str,
        sort_keys=True,
    )


def _looked(settings: Config, collection: Any, stands: tuple[str, ...], n_ranked: int) -> Foreseen:
    source = settings.source_options
    assert isinstance(source, FiftyOneSource)
    options = source.model_dump(exclude={"dataset"})
    recipe, images = _without_images(settings.recipe)
    named = [str(name) for name in recipe.likeness.get("similar_to", ())]
    key = (*stands, json.dumps([options, named], default=str))
    collection = open_collection(collection, None, source.slice, source.frames)
    pool: Pool = _POOLS.get(key, lambda: _read(collection, source, named))
    n = int((~pool.labelled).sum())
    part = len(pool) if len(pool) < _count(collection) else None
    budget = recipe.budget
    if part is not None and budget is not None:
        budget = max(_LEAST, round(budget * n / max(n_ranked, 1)))
        recipe = replace(recipe, budget=min(budget, max(n, 1)))
    ranking = follow(recipe, pool)
    done = ranking.recipe or recipe
    n_batch, of_groups = len(ranking), False
    if part is not None:
        n_batch = min(settings.recipe.budget or n_ranked, n_ranked)
        of_groups = bool(recipe.constraints.groups_as_items)
    counts, n_empty, of_objects = _classes(pool, ranking, done.floor or 0.0)
    return Foreseen(
        n_batch=n_batch,
        n_ranked=n_ranked if part is not None else len(ranking.pool_order),
        counts=counts,
        of_objects=of_objects,
        n_empty=n_empty,
        part=part,
        acquisition=ranking.acquisition,
        selection=done.selection,
        reasons=done.reasons,
        of_groups=of_groups,
        remarks=(*(_remarks(ranking.notices) if part is None else ()), *images),
    )


def _without_images(recipe: Recipe) -> tuple[Recipe, tuple[str, ...]]:
    """A recipe that compares no images, as reading them takes too long; and what to say of it."""
    if recipe.limits.get("dedupe_by") != "images":
        return recipe, ()
    rest = {k: v for k, v in recipe.limits.items() if k not in ("dedupe", "dedupe_by")}
    return replace(recipe, limits=rest), (
        "Images are compared when you rank, and near-duplicates then left out.",
    )


def _remarks(notices: Sequence[Notice]) -> tuple[str, ...]:
    """How groups, near-duplicates and quotas limit the batch; without ids, which tell nothing."""
    told = [n for n in notices if n.code in ("groups_as_items", "near_duplicates", "quota")]
    return tuple(
        f"{n.message.partition(':')[0].rstrip('.')}." if n.item_ids else n.message for n in told
    )


def _count(collection: Any) -> int:
    with talking():
        return int(collection.count())


def _read(collection: Any, source: FiftyOneSource, named: Sequence[str]) -> Pool:
    """The samples, or so many of them, and always those that are named."""
    if _count(collection) > MOST:
        with talking():
            ids = collection.values("id")
            chosen = np.linspace(0, len(ids) - 1, MOST).astype(int)
            wanted = dict.fromkeys([*(ids[i] for i in chosen), *named])
            collection = collection.select(list(wanted))
    return read_pool(collection, source, None)


def _classes(
    pool: Pool, ranking: Ranking, floor: float
) -> tuple[tuple[tuple[str, int], ...], int, bool]:
    """The predicted classes, how many samples lack an object, and whether objects are counted."""
    names, n_empty, batch = pool.classes, 0, ranking.item_ids.tolist()
    if not batch:
        return (), 0, False
    inside = np.isin(pool.item_ids, batch)
    # Labels in a list beside numbers for all classes are no objects, unless these are scored.
    objects = None if ranking.of == "items" else pool.newest_objects
    if objects is not None:
        kept = inside[objects.item_positions] & ~(objects.confidences < floor)  # NaN counts
        n_empty = len(batch) - len(np.unique(objects.item_positions[kept]))
    if names and objects is not None and objects.class_ids is not None:
        codes = objects.class_ids[kept]
    elif names and pool.top_classes is not None:
        codes, objects = pool.top_classes[inside], None
    else:
        return (), n_empty, False
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    shown = tuple((str(names[i]), int(counts[i])) for i in order if counts[i])
    return shown, n_empty, objects is not None
