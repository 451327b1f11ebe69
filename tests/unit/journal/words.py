"""A plan with a large payload and a large snapshot, for tests of journals."""

from __future__ import annotations

from typing import Any

from labelnext.journal import Performer, Plan, Step

OLD = [f"old {i}" for i in range(3_000)]
NEW = [f"new {i}" for i in range(3_000)]
LARGE = Plan("made", "labelnext", "a list", (Step("write", "Write 3000 words", 3_000, {"w": NEW}),))
SMALL = Plan("made", "labelnext", "a list", (Step("write", "Write a word", 1, {"w": ["x"]}),))


class Words(Performer):
    """A step that replaces the words of a list."""

    def __init__(self, content: list[str]) -> None:
        self.content = content

    def snapshot(self, step: Step) -> Any:
        return list(self.content)

    def perform(self, step: Step) -> None:
        self.content[:] = step.payload["w"]

    def restore(self, step: Step, before: Any) -> list[str]:
        self.content[:] = before
        return []
