"""Whom Label Studio would still hand a task to, by what people did on it."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server import standing as module
from labelnext_adapters.label_studio.server.people import Work
from labelnext_adapters.label_studio.server.standing import find_standing
from labelnext_adapters.label_studio.server.task import Begun
from labelnext_adapters.label_studio.server.tasks import Tasks

ANN, BO = 1, 2
WORK = {
    1: Work(skipped={ANN}),
    2: Work(skipped={ANN, BO}),
    3: Work(annotated={ANN}, skipped={BO}),
}


@pytest.mark.parametrize(
    ("queue", "overlap", "exhausted"),
    [
        # Handed back to who skipped it, unless others have taken all of its places, by a skip too.
        ("REQUEUE_FOR_ME", 1, {2, 3}),
        ("REQUEUE_FOR_ME", 2, set()),
        ("REQUEUE_FOR_OTHERS", 1, {2, 3}),
        ("REQUEUE_FOR_OTHERS", 2, {2, 3}),
    ],
)
def test_a_task_is_handed_out_while_somebody_would_get_it(
    monkeypatch: pytest.MonkeyPatch, queue: str, overlap: int, exhausted: set[int]
) -> None:
    monkeypatch.setattr(module, "unfinished_work", lambda *_: WORK)
    monkeypatch.setattr(module, "list_members", lambda _: {ANN: ("ann",), BO: ("bo",)})
    tasks = Tasks(ids=[1, 2, 3], item_ids=["1", "2", "3"], labelled=[False] * 3)
    tasks.begun_by = {t: Begun(len(w.annotated), len(w.skipped), False) for t, w in WORK.items()}
    tasks.overlaps = dict.fromkeys(tasks.ids, overlap) if overlap > 1 else {}
    client: Any = None
    project = {"id": 1, "skip_queue": queue}
    standing = find_standing(client, project, tasks, None, Context())
    assert standing.exhausted == exhausted
    assert standing.skipped == set()
    assert standing.wanting == {3} - exhausted
    if standing.wanting:
        message = "Left 1 labelled task in the queue, as the project wants more annotations: c."
        assert message in [n.message for n in standing.notices({1: "a", 2: "b", 3: "c"})]
