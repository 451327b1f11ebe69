"""A FiftyOne dataset as the place where the batch of a pool is marked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labelnext.adapter.protocol import Context, Target
from labelnext.errors import ConfigError
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext_adapters.fiftyone.options import FiftyOneSend

if TYPE_CHECKING:
    from labelnext.adapter.batch import Batch, Labels, Origin


class FiftyOneTarget(Target):
    """A dataset on whose samples batches are marked; see `labelnext.adapter.Target`.

    Args:
        options: of `send`.
        context: folder and progress.
    """

    def __init__(self, options: FiftyOneSend, context: Context) -> None:
        self._options = options
        self._context = replace(context, key=options.key)

    def plan(self, batch: Batch) -> Plan:
        """The field, index, views and custom run of a ranking of the batch alone.

        Raises:
            NotFound: if there is no such dataset.
            InvalidInput: if no item of the batch is a sample of it, or the key is not distinct.
            WriteRefused: if something of the run's name is not labelnext's.
        """
        from labelnext.adapter.batch import ranked_there
        from labelnext_adapters.fiftyone.database.connection import (
            open_collection,
            reach_database,
            talking,
        )
        from labelnext_adapters.fiftyone.database.values import fetch, keyed
        from labelnext_adapters.fiftyone.options import FiftyOneSource, FiftyOneWrite
        from labelnext_adapters.fiftyone.write.plan import plan_ranking

        reach_database()
        key = self._options.key
        collection = open_collection(self._options.dataset, None)
        with talking():
            samples = _samples(collection, key, [item.item_id for item in batch.items])
            columns = fetch(samples, ["id", key] if key else ["id"])
        known = keyed(columns["id"], columns[key] if key else None, key)
        where = f"dataset {collection._root_dataset.name}"
        ranking, left_out = ranked_there(batch, known, where)
        source, write = FiftyOneSource(dataset=samples), FiftyOneWrite(run=batch.run)
        plan = plan_ranking(samples, source, write, self._context, ranking)
        return replace(plan, left_out=tuple(left_out))

    def performer(self, journal: Journal) -> Performer:
        """What writes the field, views, index and run, as a run on the dataset does."""
        from labelnext_adapters.fiftyone.database.connection import reach_database
        from labelnext_adapters.fiftyone.read.own_runs import check_planned_for
        from labelnext_adapters.fiftyone.write.performer import FiftyOnePerformer

        reach_database()
        check_planned_for(journal, self._options.dataset)
        return FiftyOnePerformer(journal, self._context)

    def labels(self, origin: Origin) -> Labels:
        """Nothing comes back from here.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("send.adapter must be label-studio to fetch labels; got 'fiftyone'.")


def _samples(collection: Any, key: str | None, item_ids: list[str]) -> Any:
    """The samples with these ids, or values of the key, as a view."""
    from bson import ObjectId
    from fiftyone import ViewField

    from labelnext_adapters.fiftyone.database.connection import field_of

    if key is None:
        return collection.select([item for item in item_ids if ObjectId.is_valid(item)])
    field_of(collection, "send.key", key)
    return collection.match(ViewField(key).to_string().is_in(item_ids))


__all__ = ["FiftyOneTarget"]
