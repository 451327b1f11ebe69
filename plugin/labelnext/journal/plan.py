"""What is about to be written, step by step, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Progress = Callable[[str, int, int | None], None]
_TEXTS = ("stays", "next_steps", "left_out")  # of a plan, one sentence each


@dataclass(frozen=True)
class Step:
    """One bounded change on a platform.

    Attributes:
        kind: what the adapter does for it.
        description: for people, in the imperative: "Set labelnext_priority on 355 tasks".
        n_items: how many items it touches.
        payload: all that is needed to do it again, as JSON.
    """

    kind: str
    description: str
    n_items: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What would be written, as data.

    Attributes:
        adapter: name of the adapter.
        run: name of the run, as `write.run` says.
        target: the project, dataset or file, for people.
        steps: in the order in which they are done.
        stays: what an undo cannot take back, one sentence each.
        next_steps: what the user does now, one sentence each.
        output: the ranking file that the steps write themselves, if they do.
        left_out: what was to be written and is not, one sentence each.
    """

    adapter: str
    run: str
    target: str
    steps: tuple[Step, ...] = ()
    stays: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    output: str | None = None
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        # `asdict` would copy every id of a payload.
        lists = {name: list(getattr(self, name)) for name in _TEXTS}
        steps = [{**vars(step), "payload": dict(step.payload)} for step in self.steps]
        return {**vars(self), **lists, "steps": steps}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Back from `to_dict`."""
        lists = {name: tuple(data.get(name, ())) for name in _TEXTS}
        return cls(**{**data, **lists, "steps": tuple(Step(**s) for s in data["steps"])})


class StepPerformer(Protocol):
    """What is done for a step, and how it is taken back."""

    def snapshot(self, step: Step) -> Any:
        """What is there now and would change, as JSON."""

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice must end in the same state."""

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there; returns what had to stay, one sentence each."""
