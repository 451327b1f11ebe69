"""Does and takes back the steps of a write, and keeps the tab."""

from __future__ import annotations

from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.lock import hold
from labelnext.journal.plan import Plan, Step, StepPerformer
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.tab import (
    View,
    list_tabs,
    own_tab,
    put_tab,
    restore_tab,
)
from labelnext_adapters.label_studio.write.copies import Copies, Sampling
from labelnext_adapters.label_studio.write.data_keys import Fields
from labelnext_adapters.label_studio.write.plan import next_steps


class Tabs:
    """Puts one tab in order.

    Args:
        client: the server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fresh: list[View] | None = None  # listed for a snapshot, used by the step after it

    def snapshot(self, step: Step) -> Any:
        """The tab as it is, if it is there, and the numbers of all."""
        self._fresh = views = list_tabs(self._client, step.payload["project"])
        return {
            "views": [view["id"] for view in views],
            "tab": own_tab(views, step.payload["tab"]["title"]),
        }

    def perform(self, step: Step) -> None:
        """Make it, or set its order and filter."""
        project = step.payload["project"]
        views, self._fresh = self._fresh, None
        if views is None:
            views = list_tabs(self._client, project)
        put_tab(self._client, project, views, step.payload["tab"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """As it was."""
        place = step.payload
        restore_tab(self._client, place["project"], place["tab"]["title"], before)
        return []


class Writer(Performer):
    """Carries out and takes back the steps of a plan, each by its kind.

    Args:
        client: the server.
        context: for progress.
    """

    def __init__(self, client: Client, context: Context) -> None:
        self._client = client
        self.progress = context.progress
        self._remarks: list[str] = []
        self._kinds: dict[str, StepPerformer] = {
            "fields": Fields(client, context, self._remarks.append),
            "tab": Tabs(client),
            "copies": Copies(client, context, self._remarks.append),
            "sampling": Sampling(client),
        }

    def snapshot(self, step: Step) -> Any:
        """What is there now and would change."""
        return self._of(step).snapshot(step)

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice ends in the same state."""
        self._of(step).perform(step)

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there; returns what had to stay."""
        return self._of(step).restore(step, before)

    def held(self, journal: Journal) -> AbstractContextManager[None]:
        """Two state folders may name one project; the machine's own folder tells them so."""
        target = journal.plan.target
        name = sha256(target.encode()).hexdigest()[:16]
        path = Path(gettempdir()) / f"labelnext-label-studio-{name}.lock"
        return hold(path, journal.run_id, f"another run is under way on {target}")

    def remarks(self) -> list[str]:
        """What was found while writing, one sentence each."""
        return self._remarks

    def next_steps(self, plan: Plan) -> tuple[str, ...]:
        """What people do now, with the addresses of the tabs."""
        return next_steps(self._client, plan.steps)

    def _of(self, step: Step) -> StepPerformer:
        """What does the step; it must be on the server that the adapter speaks to."""
        url = step.payload["url"]
        if url != self._client.url:
            raise WriteRefused(
                f"source.url must be the server the run wrote to, {url}; got {self._client.url!r}.",
                hint="use that run's configuration.",
            )
        return self._kinds[step.kind]
