"""Plans: what is about to be written, step by step, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Progress = Callable[[str, int, int | None], None]
_TEXTS = ("stays", "next_steps", "left_out")  # fields of a plan with one sentence each


@dataclass(frozen=True)
class Step:
    """One bounded change on a platform.

    Attributes:
        kind: the adapter's name for this kind of step.
        description: in the imperative, such as "Set labelnext_priority on 355 tasks".
        n_items: how many items it touches.
        payload: everything needed to repeat the step, as JSON.
    """

    kind: str
    description: str
    n_items: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The plan of a write, as data.

    Attributes:
        adapter: name of the adapter.
        run: name of the run, from `write.run`.
        target: the project, dataset or file, in words.
        steps: the steps, in order.
        stays: what an undo can't remove, one sentence each.
        next_steps: what to do after the write, one sentence each.
        output: the ranking file, if the steps write it themselves.
        left_out: what can't be written, one sentence each.
    """

    adapter: str
    run: str
    target: str
    steps: tuple[Step, ...] = ()
    stays: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    output: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def small_steps(self) -> tuple[Step, ...]:
        """The steps whose payload a journal holds itself; all of them if it holds none.

        They tell what all steps have in common, without a file of megabytes for each run.
        """
        return tuple(s for s in self.steps if isinstance(s.payload, dict)) or self.steps

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON-able data."""
        # `asdict` would copy every id of a payload.
        lists = {name: list(getattr(self, name)) for name in _TEXTS}
        steps = [{**vars(step), "payload": dict(step.payload)} for step in self.steps]
        return {**vars(self), **lists, "steps": steps}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan from the result of `to_dict`.

        Raises:
            TypeError: if a field has another type, or there is an unknown one.
            LookupError: if the steps are missing.
        """
        lists = {name: tuple(data.get(name, ())) for name in _TEXTS}
        steps = tuple(Step(**step) for step in data["steps"])
        for step in steps:
            named = isinstance(step.kind, str) and isinstance(step.description, str)
            if not (named and isinstance(step.payload, Mapping)):
                raise TypeError(f"a step has fields of other types: {step.description!r}")
        return cls(**{**data, **lists, "steps": steps})


class StepPerformer(Protocol):
    """Does the steps of a plan, and undoes them."""

    def snapshot(self, step: Step) -> Any:
        """The current state that the step would change, as JSON."""

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice must end in the same state."""

    def restore(self, step: Step, before: Any) -> list[str]:
        """Restore what was there; returns what had to stay, one sentence each."""
