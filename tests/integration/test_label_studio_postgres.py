"""Label Studio on PostgreSQL: what people are served there, by the same tests as on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.runs.ranked import with_clusters
from tests.integration import test_label_studio_modes as modes
from tests.integration import test_label_studio_part as part
from tests.integration import test_label_studio_uncertainty as uncertainty
from tests.integration.choices import CHOICES
from tests.integration.postgres import running_postgres
from tests.integration.writing import write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    from tests.integration.label_studio_server import running_server

    folder = tmp_path_factory.mktemp("label-studio")
    with running_postgres() as database, running_server(folder, database) as server:
        yield server


way, asked = part.way, part.asked

test_the_stream_and_a_re_rank = (
    modes.test_the_stream_follows_the_ranking_and_a_re_rank_in_the_middle
)
test_two_users_with_shard_tabs = modes.test_two_users_with_shard_tabs_never_get_the_same_task
test_stable_shards = modes.test_a_task_stays_with_its_annotator_while_it_is_in_the_batch
test_begun = modes.test_a_task_that_somebody_has_begun_is_left_alone
test_overlap = modes.test_overlap_shows_a_task_until_it_has_all_its_annotations
test_skips_and_drafts = modes.test_skipped_and_postponed_tasks_and_drafts_break_nothing
test_batch = modes.test_batch_marks_the_batch_in_one_request_and_nothing_else
test_uncertainty = uncertainty.test_uncertainty_serves_the_order_to_label_all_tasks
test_uncertainty_rerank = (
    uncertainty.test_uncertainty_keeps_what_was_handed_out_and_reranks_the_rest
)
test_uncertainty_undo = uncertainty.test_uncertainty_is_undone_run_by_run
test_unlabelled = part.test_unlabelled_leaves_labelled_tasks_unread_and_counts_them
test_tab_of_one_filter = part.test_a_tab_that_shows_what_passes_one_of_its_filters_is_read_once
test_updated_since = part.test_updated_since_reads_what_changed_after_it
test_run_over_a_part = (
    part.test_a_run_over_a_part_ranks_it_alone_and_replaces_the_run_over_the_whole
)
test_without_listing = part.test_a_whole_project_is_read_without_listing_its_tasks


def spread(places: NDArray[np.float64], served: list[int]) -> tuple[float, float]:
    """The mean distance from what was served to the next of it, and from all to the next of it."""
    gaps = np.sqrt(((places[:, None] - places[None, served]) ** 2).sum(axis=2))
    between = gaps[served]
    np.fill_diagonal(between, np.inf)
    return float(between.min(axis=1).mean()), float(gaps.min(axis=1).mean())


def test_clusters_spread_what_two_people_are_served_at_once(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    centres = rng.uniform(-1, 1, (40, 2))
    places = centres[rng.integers(40, size=400)] + 0.05 * rng.normal(size=(400, 2))
    sure = 1 / (1 + np.exp(-3 * places.sum(axis=1)))
    project = label_studio.create_project(CHOICES, [{"data": {"text": f"{i}"}} for i in range(400)])
    ids = label_studio.task_ids(project)
    pool = Pool(ids, probabilities=np.stack([sure, 1 - sure], axis=1), embeddings=places)
    ranking = with_clusters(pool, rank(pool, "margin", budget=50), "auto")
    adapter = connect(project, write={"mode": "uncertainty", "clusters": "auto"})
    write(adapter, tmp_path, ranking)

    def label(person: LabelStudio) -> list[int]:
        served = []
        for _ in range(50):
            task = person.next_of_all(project)
            assert task is not None
            served.append(task)
            person.annotate(task)
        return served

    other = label_studio.second_user()
    with ThreadPoolExecutor(2) as people:
        first, second = people.map(label, (label_studio, other))
    other.close()
    assert len({*first, *second}) == 100  # no task twice
    rows = {task: row for row, task in enumerate(ids)}
    between, to_served = spread(places, [rows[task] for task in (*first, *second)])
    by_score = [rows[int(item)] for item in ranking.pool_order[:100]]
    between_by_score, to_served_by_score = spread(places, by_score)
    assert between >= 1.2 * between_by_score
    assert to_served <= 0.8 * to_served_by_score
