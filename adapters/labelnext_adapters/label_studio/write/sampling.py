"""Mode uncertainty: what the project serves tasks by, and which predictions people see."""

from __future__ import annotations

from typing import Any

from labelnext.journal.plan import Step
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import get_project

SAMPLING = "Uncertainty sampling"


class Sampling:
    """Makes the project serve the copies by score, or shows the predictions of a version.

    Args:
        client: the server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def snapshot(self, step: Step) -> Any:
        """The project's sampling and model version."""
        project = get_project(self._client, step.payload["project"])
        return {name: project.get(name) for name in ("sampling", "model_version")}

    def perform(self, step: Step) -> None:
        """Set both, or the model version alone."""
        payload = step.payload
        self._set(payload["project"], payload.get("sampling", SAMPLING), payload["version"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """Set them as they were, unless somebody chose something else meanwhile."""
        payload = step.payload
        sampling = payload.get("sampling", SAMPLING)
        now = get_project(self._client, payload["project"])
        # The server itself takes the version away when its last prediction goes.
        if now.get("model_version") not in (payload["version"], before["model_version"], "", None):
            return [
                f"Kept the project's model version {now.get('model_version')!r}, which someone "
                "chose after the run."
            ]
        if sampling not in (None, now.get("sampling")):
            return [
                f"Kept the project's sampling {now.get('sampling')!r}, which someone chose after "
                "the run."
            ]
        old = None if sampling is None else before["sampling"]
        self._set(payload["project"], old, before["model_version"] or "")
        return []

    def _set(self, project: int, sampling: str | None, version: str) -> None:
        body = {"model_version": version} | ({} if sampling is None else {"sampling": sampling})
        self._client.send("PATCH", f"api/projects/{project}/", body)


__all__ = ["SAMPLING", "Sampling"]
