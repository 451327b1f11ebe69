"""Label Studio on PostgreSQL: what people are served there, by the same tests as on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.integration import test_label_studio_modes as modes
from tests.integration import test_label_studio_part as part
from tests.integration import test_label_studio_uncertainty as uncertainty
from tests.integration.postgres import running_postgres

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

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
