"""Mode uncertainty: what the project serves tasks by, and which predictions people see."""

from __future__ import annotations

from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput
from labelnext.journal.plan import Step
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import count_version, get_project
from labelnext_adapters.label_studio.server.tasks import Prediction
from labelnext_adapters.label_studio.write.copy_stamp import newest_run, put_stamp, run_of, stamped

SAMPLING = "Uncertainty sampling"


class Sampling:
    """Makes the project serve the copies by score, or shows the predictions of a version.

    Args:
        client: the server.
        context: with the state folder.
        run: id of the run, which a copy carries for other machines to see.

    Attributes:
        later: the run that people are served by instead, as found by `restore`.
    """

    later: str | None = None

    def __init__(self, client: Client, context: Context, run: str) -> None:
        self._client, self._context, self._run = client, context, run

    def snapshot(self, step: Step) -> Any:
        """The project's sampling and model version, and the run that a copy carries."""
        project = get_project(self._client, step.payload["project"])
        copy = self._copy(step)
        carried = None if copy is None else run_of(copy)
        return {name: project.get(name) for name in ("sampling", "model_version")} | {
            "run": carried
        }

    def perform(self, step: Step) -> None:
        """Set both, or the model version alone."""
        payload = step.payload
        put_stamp(self._client, self._copy(step), self._run)
        project, version = payload["project"], payload["version"]
        try:
            self._set(project, payload.get("sampling", SAMPLING), version)
        except InvalidInput:
            # The server knows a model version only while it has a prediction, and pre-labels have
            # none where all of the batch was labelled meanwhile.
            if "place" in payload or count_version(self._client, project, version):
                raise

    def restore(self, step: Step, before: Any) -> list[str]:
        """Set them as they were, unless somebody chose something else meanwhile."""
        payload = step.payload
        # A journal of an earlier version knows no run.
        put_stamp(self._client, self._copy(step), before.get("run"))
        sampling = payload.get("sampling", SAMPLING)
        now = get_project(self._client, payload["project"])
        # The server itself takes the version away when its last prediction goes.
        if now.get("model_version") not in (payload["version"], before["model_version"], "", None):
            version = now["model_version"]
            self.later = newest_run(self._client, self._context, payload["project"], version)
            who = "someone" if self.later is None else f"run {self.later}"
            kept = f"Kept the project's model version {version!r}, which {who} chose after the run."
            # A later run serves people by its copies; without one, this run's sampling goes.
            if self.later is None and now.get("sampling") == sampling != before["sampling"]:
                self._set(payload["project"], before["sampling"], version)
            return [kept]
        stayed = []
        old = None if sampling is None else before["sampling"]
        # An undo that goes on where another stopped finds it set back.
        if sampling is not None and now.get("sampling") not in (sampling, before["sampling"]):
            stayed.append(
                f"Kept the project's sampling {now.get('sampling')!r}, which someone chose after "
                "the run."
            )
            old = None
        earlier = before["model_version"] or ""
        try:
            self._set(payload["project"], old, earlier)
        except InvalidInput:
            if not earlier:
                raise
            self._set(payload["project"], old, "")
            stayed.append(
                f"Kept no model version: the earlier one, {earlier!r}, has no predictions any more."
            )
        return stayed

    def _copy(self, step: Step) -> Prediction | None:
        """The copy that carries the id of a run; None if the step is of no copies."""
        payload = step.payload
        if "place" not in payload:
            return None
        return stamped(self._client, payload["project"], payload["place"], payload["version"])

    def _set(self, project: int, sampling: str | None, version: str) -> None:
        body = {"model_version": version} | ({} if sampling is None else {"sampling": sampling})
        self._client.send("PATCH", f"api/projects/{project}/", body)


__all__ = ["SAMPLING", "Sampling"]
