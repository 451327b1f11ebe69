"""What a dataset allows: its fields of predictions, labels and vectors, and what they can do.

A form asks this at every keystroke, so it looks at the first samples and at the schema alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labelnext.acquisition import (
    AUTO,
    acquisition_names,
    auto_acquisition,
    get_acquisition,
)
from labelnext.pool import Pool
from labelnext.selection import INPUTS, get_selection, selection_names
from labelnext_adapters.fiftyone.connection import talking
from labelnext_adapters.fiftyone.kinds import KINDS, LABELS, is_held
from labelnext_adapters.fiftyone.read import read_pool

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone import FiftyOneSource

_LOOKED_AT = 100  # samples
_CERTAINTIES = ("confidence", "logits", "probabilities")


@dataclass(frozen=True)
class Choice:
    """One row of a form's list.

    Attributes:
        name: as in the configuration.
        summary: one line on what it means.
        obstacle: why it cannot be chosen, as a sentence; None when it can.
    """

    name: str
    summary: str
    obstacle: str | None = None


def label_fields(collection: Any) -> dict[str, str]:
    """The fields that hold labels which labelnext reads, and their kinds.

    Args:
        collection: a dataset or view.
    """
    kinds = {}
    for name, field in collection.get_field_schema().items():
        document = getattr(field, "document_type", None)
        if document is not None and document.__name__ in LABELS:
            kinds[name] = document.__name__
    return kinds


def prediction_fields(collection: Any) -> list[str]:
    """The label fields whose first sample says how sure a model was.

    Args:
        collection: a dataset or view.
    """
    found = []
    for name, kind in label_fields(collection).items():
        with talking():
            first = collection.exists(name).limit(1).values(name)
        listed = KINDS[kind].listed
        labels = first and (first[0][listed] if listed else [first[0]])
        if any(_is_sure(label) for label in labels or ()):
            found.append(name)
    return found


def _is_sure(label: Any) -> bool:
    return any(label.has_field(name) and is_held(label[name]) for name in _CERTAINTIES)


def vector_fields(collection: Any) -> list[str]:
    """The fields that hold one vector a sample.

    Args:
        collection: a dataset or view.
    """
    schema = collection.get_field_schema().items()
    return [name for name, field in schema if type(field).__name__ == "VectorField"]


def preview(collection: Any, source: FiftyOneSource) -> Pool:
    """The first samples that have a prediction, read as a run would read all.

    Args:
        collection: a dataset or view.
        source: as in the configuration.

    Raises:
        LabelnextError: as `read_pool` does.
    """
    first = collection.exists(source.pred_fields[0]) if source.pred_fields else collection
    return read_pool(first.limit(_LOOKED_AT), source, None)


def acquisition_choices(pool: Pool) -> list[Choice]:
    """Every acquisition function, and whether it can score such a pool.

    Args:
        pool: of `preview`.
    """
    suits = auto_acquisition(pool)
    obstacle = None if suits.name else f"{AUTO} finds nothing to score: {suits.why}"
    functions = [get_acquisition(name) for name in acquisition_names()]
    return [
        Choice(AUTO, f"what suits the predictions, here {suits.name} of {suits.of}", obstacle),
        *(Choice(f.name, f.summary, f.obstacle(pool)) for f in functions),
    ]


def selection_choices(pool: Pool) -> list[Choice]:
    """Every selection method, and whether the pool has what it needs.

    Args:
        pool: of `preview`.
    """
    choices = []
    for name in selection_names():
        method = get_selection(name)
        columns = [n for n in method.needs if n != "utilities"]
        lacking = [n for n in columns if getattr(pool, n.removeprefix("labelled_"), None) is None]
        obstacle = f"{name} needs {INPUTS[lacking[0]]}; none are named" if lacking else None
        choices.append(Choice(name, method.summary, obstacle))
    return choices
