"""What an adapter can do, declared by it and asked in one place; nothing is guessed."""

from __future__ import annotations

from enum import Enum

from labelnext.errors import ConfigError, listed


class Capability(Enum):
    """Something an adapter can do; the value says it in words.

    The comment names the methods that it promises.
    """

    READS = "read items"  # check, read
    WRITES = "write rankings"  # plan, performer
    STREAMS = "read large pools in parts"  # parts, read_part
    COUNTS_LABELS = "count labels"  # count_labels
    GIVES_BATCHES = "give batches to other platforms"  # origin, batch
    TAKES_BATCHES = "take batches from other platforms"  # open_target, SendOptions
    TAKES_LABELS = "take labels back"  # plan_labels
    TAKES_OBJECT_SCORES = "write a score for each object"  # wants_object_scores


BASIC = frozenset({Capability.READS, Capability.WRITES})
"""What every adapter can do, and all that one without a declaration is asked for."""


def can(adapter: object, capability: Capability) -> bool:
    """Whether an adapter, or its class, declares a capability."""
    return capability in getattr(adapter, "capabilities", BASIC)


def missing_capability(key: str, name: str, capability: Capability, able: list[str]) -> ConfigError:
    """The error for an adapter that cannot do what is asked for.

    Args:
        key: of the configuration, such as source.adapter.
        name: of the adapter.
        capability: that it lacks.
        able: names of the installed adapters that have it.
    """
    names = listed(able) or "no installed adapter"
    return ConfigError(
        f"{key} must be able to {capability.value}; {name!r} can't.",
        hint=f"adapters that can: {names}.",
    )
