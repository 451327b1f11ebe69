"""Texts that are good or bad, with a model's probabilities, as Label Studio's tasks."""

from __future__ import annotations

from typing import Any

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def choice_task(p: float | None, **data: Any) -> dict[str, Any]:
    """A task that is good with that probability; without a prediction when None."""
    task: dict[str, Any] = {"data": {"text": f"{p}", **data}}
    if p is not None:
        value = {"choices": ["good"], "probs": [p, 1 - p]}
        region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
        task["predictions"] = [{"model_version": "m1", "score": p, "result": [region]}]
    return task


def sure_to_unsure(n: int) -> list[dict[str, Any]]:
    """Tasks whose margin falls from task to task, so that the last is labelled first."""
    return [choice_task(1 - 0.4 * (i + 1) / n, text=f"text {i}") for i in range(n)]
