"""Pre-labels: what is predicted of the batch, in a field of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labelnext.errors import ConfigError, WriteRefused
from labelnext.journal.plan import Plan, Step
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.fields import PRELABELS
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.write.pushed import KIND, plan_predictions
from labelnext_adapters.fiftyone.write.pushed_labels import kind_of


def prelabel_plan(
    collection: Any, source: FiftyOneSource, key: str | None, pool: Pool | None, run: str
) -> Plan:
    """What storing the predictions of a batch as pre-labels would do, in a field of the run.

    Args:
        collection: a dataset or view.
        source: what of it is ranked.
        key: field that holds the items' ids; None for the samples' own.
        pool: what is predicted of the batch; None takes away what is there.
        run: name of the run.

    Raises:
        ConfigError: if frames are ranked.
        InvalidInput: as `plan_predictions`.
        WriteRefused: if the field is there and holds something else.
    """
    field, dataset = f"{run}_prelabel", collection._root_dataset
    everywhere = dataset.group_slices or None  # an earlier run may have been of another slice
    if pool is not None:
        _check_free(dataset, source, field, kind_of(pool))
        plan = plan_predictions(collection, source, key, pool, field)
        marked = (
            replace(
                step,
                description=f"Store the predictions of {counted(step.n_items, 'sample')} as "
                f"pre-labels in field {field}",
                payload={**step.payload, "slice": everywhere, "prelabels": True},
            )
            for step in plan.steps
        )
        return replace(plan, steps=tuple(marked), next_steps=())
    existing = dataset.get_field(field)
    if existing is None or PRELABELS not in (existing.info or {}):
        return Plan("fiftyone", field, dataset.name)
    payload = {
        "dataset": dataset.name,
        "dataset_id": str(dataset._doc.id),
        "slice": everywhere,
        "field": field,
        "kind": existing.document_type.__name__,
        "classes": None,
        "ids": [],
        **dict.fromkeys(("counts", "labels", "confidences"), ()),
        "boxes": None,
        "vectors": None,
    }
    what = f"Clear the pre-labels in field {field}"
    return Plan("fiftyone", field, dataset.name, (Step(KIND, what, 0, payload),))


def _check_free(dataset: Any, source: FiftyOneSource, field: str, kind: str) -> None:
    if source.frames:
        raise ConfigError("write.prelabels must be left out where frames are ranked; got True.")
    existing = dataset.get_field(field)
    if existing is None:
        return
    if PRELABELS not in (existing.info or {}) or existing.document_type.__name__ != kind:
        raise WriteRefused(
            f"field {field} of {dataset.name} must be free, or hold pre-labels of {kind}; it "
            "doesn't.",
            hint="choose another write.run.",
        )


__all__ = ["prelabel_plan"]
