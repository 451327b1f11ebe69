"""Label Studio on PostgreSQL: what people are served there, by the same tests as on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration import test_label_studio_modes as modes
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure
from tests.integration.postgres import running_postgres

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    from tests.integration.label_studio_server import running_server

    folder = tmp_path_factory.mktemp("label-studio")
    with running_postgres() as database, running_server(folder, database) as server:
        yield server


test_two_users_with_shard_tabs = modes.test_two_users_with_shard_tabs_never_get_the_same_task
test_stable_shards = modes.test_a_task_stays_with_its_annotator_while_it_is_in_the_batch
test_overlap = modes.test_overlap_shows_a_task_until_it_has_all_its_annotations
test_skips_and_drafts = modes.test_skipped_and_postponed_tasks_and_drafts_break_nothing
test_batch = modes.test_batch_marks_the_batch_in_one_request_and_nothing_else
test_uncertainty = modes.test_uncertainty_serves_the_order_to_label_all_tasks
test_uncertainty_rerank = modes.test_uncertainty_keeps_what_was_handed_out_and_reranks_the_rest
test_uncertainty_undo = modes.test_uncertainty_is_undone_run_by_run


def test_the_stream_follows_the_ranking_and_a_re_rank_in_the_middle(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    # PostgreSQL serves numbers as texts: 9 before 10. So the priorities must be of one width.
    project = label_studio.create_project(CHOICES, sure_to_unsure(12))
    ids = label_studio.task_ids(project)
    modes.write(connect(project), tmp_path)
    assert label_studio.listing(project) == ids[::-1]
    served = []
    for _ in range(6):
        task = label_studio.next_task(project)
        assert task is not None
        served.append(task)
        label_studio.annotate(task)
    assert served == ids[:5:-1]
    # A newer model turns the order around: it counts from the next task on.
    rows = [
        {
            "task": task,
            "model_version": "m2",
            "result": choice_task(0.6 + 0.02 * place)["predictions"][0]["result"],
        }
        for place, task in enumerate(ids[:6])
    ]
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", rows)
    journal = modes.write(connect(project), tmp_path)
    assert label_studio.next_task(project) == ids[0]
    connect(project).undo(journal)
    assert label_studio.next_task(project) == ids[5]
