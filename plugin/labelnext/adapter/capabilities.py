"""Capabilities: what each adapter declares it can do."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from labelnext.errors import UnknownName, listed


class Capability(Enum):
    """Something an adapter can do: a description, and the class members it requires.

    Attributes:
        promises: names of the members that the adapter's class must have.

    Example:
        >>> Capability.STREAMS.value, Capability.STREAMS.promises
        ('read large pools in parts', ('parts', 'read_part'))
    """

    promises: tuple[str, ...]

    READS = "read items", "check", "read"
    WRITES = "write rankings", "plan", "apply", "undo"
    STREAMS = "read large pools in parts", "parts", "read_part"
    COUNTS_LABELS = "count labels", "count_labels"
    GIVES_BATCHES = "give batches to other platforms", "origin", "batch"
    TAKES_BATCHES = "take batches from other platforms", "SendOptions", "open_target"
    TAKES_LABELS = "take labels back", "plan_labels"
    TAKES_OBJECT_SCORES = "write a score for each object", "wants_object_scores"
    TELLS_WORK = "tell who labelled what", "work"
    TAKES_PREDICTIONS = "take predictions", "plan_predictions"
    SHOWS_ITEMS = "show its items in reports", "previews", "address"

    def __new__(cls, words: str, *promises: str) -> Capability:
        """Make the words the enum value."""
        capability = object.__new__(cls)
        capability._value_, capability.promises = words, promises
        return capability


BASIC = frozenset({Capability.READS, Capability.WRITES})
"""What every adapter can do, and the default for one that declares nothing."""


def can(adapter: object, capability: Capability) -> bool:
    """Whether an adapter, or its class, declares a capability."""
    return capability in getattr(adapter, "capabilities", BASIC)


def missing_capability(
    key: str, name: str, capability: Capability, able: Sequence[str], instead: str = ""
) -> UnknownName:
    """The error for an adapter that lacks a capability.

    Args:
        key: key of the configuration, such as source.adapter.
        name: name of the adapter.
        capability: what it lacks.
        able: names of the installed adapters that have it.
        instead: what else the user can do.

    Example:
        >>> print(missing_capability("send.adapter", "files", Capability.TAKES_BATCHES, ["a", "b"]))
        send.adapter must be able to take batches from other platforms; 'files' can't. Hint: \
adapters that can: a, b.
    """
    known = f"adapters that can: {listed(able)}." if able else "no installed adapter can."
    return UnknownName(
        f"{key} must be able to {capability.value}; {name!r} can't.",
        hint=f"{known} {instead}".strip(),
    )
