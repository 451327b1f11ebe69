"""What people did: their labels and skips, and what is left in their tabs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """One label, or one skip, of a person.

    Attributes:
        person: what they are called.
        item_id: of the item, or the platform's own id of it.
        at: when, in seconds since 1970; None if unknown.
        skipped: whether they skipped it.
        said: the label, where two labels can be compared as texts; None otherwise.
    """

    person: str
    item_id: str
    at: float | None = None
    skipped: bool = False
    said: str | None = None


@dataclass(frozen=True)
class Shard:
    """A tab of one person.

    Attributes:
        name: of the shard.
        left: how many items it still has to label.
        link: its address; None without one.
    """

    name: str
    left: int
    link: str | None = None


@dataclass(frozen=True)
class Work:
    """What people did in a project.

    Attributes:
        acts: every label and skip.
        wanted: how many labels each item needs.
        shards: the tabs, where each person has one.
    """

    acts: tuple[Act, ...]
    wanted: int = 1
    shards: tuple[Shard, ...] = ()
