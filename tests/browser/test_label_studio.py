"""Label Studio in a browser: what a person who clicks gets to see."""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.adapter.batch import Attribute, Kind, Mark, Value
from labelnext.journal import Journal
from labelnext.pool.masks import mask_of_pixels
from labelnext.ranking import rank
from labelnext_adapters.label_studio.send.drawn import attributes_in
from labelnext_adapters.label_studio.send.label_tag import Asked, make_tags
from labelnext_adapters.label_studio.send.regions import regions
from labelnext_adapters.label_studio_format.region import Remarks, regions_of
from tests.browser.chromium import running_chromium
from tests.integration.choices import CHOICES, choice_task
from tests.integration.test_label_studio_opinions import say

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from playwright.sync_api import Browser, Page, Response

    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

PASSWORD = "passw0rd123"
ORDER = (7, 2, 11, 0, 5, 9, 3, 8, 1, 10, 4, 6)  # of the tasks, next first


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


class Annotator:
    """A person at a browser of their own, logged in."""

    def __init__(self, browser: Browser, server: LabelStudio, email: str) -> None:
        self._context = browser.new_context(viewport={"width": 1400, "height": 900})
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.goto(f"{server.url}/user/login/")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(re.compile(r"/(projects.*)?$"))

    def open(self, address: str) -> list[int]:
        """Open a tab; the ids of its rows."""
        self.page.goto(address)
        self.page.get_by_test_id("table-row").first.wait_for()
        rows = self.page.get_by_test_id("table-row").all()
        return [int(row.inner_text().split()[0]) for row in rows]

    def label_as_displayed(self) -> int | None:
        """Press the arrow beside "Label All Tasks"; the task that comes."""
        with self.page.expect_response(_is_next_task) as answer:
            self.page.get_by_role("button", name="Toggle open").click()
            self.page.get_by_text("Label Tasks As Displayed", exact=True).click()
        return self._shown(answer.value)

    def submit(self, choice: str) -> int | None:
        """Choose, submit; the task that comes then."""
        self.page.locator(".lsf-choice").filter(has_text=choice).locator("label").click()
        with self.page.expect_response(_is_next_task) as answer:
            self.page.get_by_test_id("bottombar-submit-button").click()
        return self._shown(answer.value)

    def close(self) -> None:
        self._context.close()

    def _shown(self, answer: Response) -> int | None:
        if answer.status != 200:
            return None
        task = int(answer.json()["id"])
        self.page.wait_for_function(
            "id => document.querySelector('.lsf-current-task__task-id')"
            "?.firstChild?.textContent.trim() === String(id)",
            arg=task,
        )
        self.page.get_by_test_id("bottombar-submit-button").wait_for()
        return task


def _is_next_task(response: Response) -> bool:
    return "id=next_task" in response.url


def ranked_project(server: LabelStudio, folder: Path, **write: Any) -> tuple[int, list[int]]:
    """Twelve tasks, ranked and written; the project, and its tasks in the order of the ranking."""
    # The margin grows along the order.
    tasks = [
        choice_task(0.54 + 0.04 * ORDER.index(number), text=f"The review of customer {number + 1}")
        for number in range(12)
    ]
    project = server.create_project(CHOICES, tasks, show_collab_predictions=False)
    ids = server.task_ids(project)
    source = {"url": server.url, "api_key": server.token, "project": project}
    adapter = open_adapter("label-studio", write=write, **source)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    adapter.apply(plan, Journal.create(folder, plan))
    adapter.close()
    return project, [ids[number] for number in ORDER]


def test_a_person_who_labels_as_displayed_gets_ranks_1_2_3(
    label_studio: LabelStudio, browser: Browser, tmp_path: Path
) -> None:
    project, order = ranked_project(label_studio, tmp_path)
    tab = label_studio.tab(project)["id"]
    person = Annotator(browser, label_studio, label_studio.email)
    assert person.open(f"{label_studio.url}/projects/{project}/data?tab={tab}") == order
    if folder := os.environ.get("LABELNEXT_PICTURES"):  # for the docs, when asked for
        person.page.get_by_role("button", name="Toggle open").click()
        person.page.get_by_text("Label Tasks As Displayed", exact=True).wait_for()
        person.page.screenshot(
            path=Path(folder) / "label-studio-tab.png",
            clip={"x": 0, "y": 0, "width": 1400, "height": 560},
        )
        person.page.keyboard.press("Escape")
        person.open(f"{label_studio.url}/projects/{project}/data?tab={tab}")
    seen = [person.label_as_displayed(), person.submit("good"), person.submit("bad")]
    person.submit("good")
    assert seen == order[:3]
    assert label_studio.listing(project) == order[3:]
    person.close()


def test_two_people_with_shard_tabs_never_get_the_same_task(
    label_studio: LabelStudio, browser: Browser, tmp_path: Path
) -> None:
    project, order = ranked_project(label_studio, tmp_path, annotators=2)
    other = label_studio.second_user()
    seen: list[list[int | None]] = []
    people = [Annotator(browser, label_studio, user.email) for user in (label_studio, other)]
    for number, person in enumerate(people, start=1):
        tab = label_studio.tab(project, f"Label next {number}")["id"]
        shown = person.open(f"{label_studio.url}/projects/{project}/data?tab={tab}")
        assert shown == order[number - 1 :: 2]
        seen.append([person.label_as_displayed()])
    for _ in range(2):
        for person, tasks in zip(people, seen, strict=True):
            tasks.append(person.submit("good"))
    assert seen == [order[0:6:2], order[1:6:2]]
    for person in people:
        person.close()
    other.close()


def test_two_people_share_a_tab_when_each_task_is_labelled_twice(
    label_studio: LabelStudio, browser: Browser, tmp_path: Path
) -> None:
    project, order = ranked_project(label_studio, tmp_path)
    label_studio.api("PATCH", f"/api/projects/{project}/", {"maximum_annotations": 2})
    source = {"url": label_studio.url, "api_key": label_studio.token, "project": project}
    adapter = open_adapter("label-studio", **source)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    adapter.apply(plan, Journal.create(tmp_path, plan))
    adapter.close()
    other = label_studio.second_user()
    address = f"{label_studio.url}/projects/{project}/data?tab={label_studio.tab(project)['id']}"
    for user in (label_studio, other):
        person = Annotator(browser, label_studio, user.email)
        assert person.open(address) == order
        assert [person.label_as_displayed(), person.submit("good")] == order[:2]
        person.close()
    other.close()


def test_a_third_person_is_shown_the_task_on_which_two_disagree(
    label_studio: LabelStudio, browser: Browser, tmp_path: Path
) -> None:
    tasks = [choice_task(p, text=f"Review {p}") for p in (0.55, 0.7, 0.8)]
    project = label_studio.create_project(
        CHOICES, tasks, maximum_annotations=2, show_collab_predictions=False
    )
    disputed, agreed, fresh = label_studio.task_ids(project)
    users = [label_studio, label_studio.second_user(), label_studio.second_user()]
    for user, choice in zip(users, ("good", "bad"), strict=False):
        say(user, disputed, choice)
        say(user, agreed, "good")
    source = {"adapter": "label-studio", "url": label_studio.url, "project": project}
    source |= {"api_key": label_studio.token, "labels": "latest"}
    settings = {"source": source, "report": {"path": None}, "state": str(tmp_path / "state")}
    settings["write"] = {"overlap": "disagreement"}
    third = Annotator(browser, label_studio, users[2].email)
    labelnext.run(settings)  # opens the task
    labelnext.run(settings)  # ranks it
    address = f"{label_studio.url}/projects/{project}/data"
    address += f"?tab={label_studio.tab(project)['id']}"
    assert third.open(address) == [disputed, fresh]
    assert third.label_as_displayed() == disputed
    assert third.submit("good") == fresh
    assert label_studio.api("GET", f"/api/tasks/{disputed}/")["is_labeled"]
    assert third.open(address) == [fresh]
    third.close()
    for user in users[1:]:
        user.close()


def test_what_a_person_accepts_keeps_the_ids_that_were_sent(
    label_studio: LabelStudio, browser: Browser
) -> None:
    import numpy as np
    from PIL import Image

    picture = BytesIO()
    Image.new("RGB", (80, 60)).save(picture, "PNG")
    address = f"data:image/png;base64,{b64encode(picture.getvalue()).decode()}"
    whole = np.zeros((60, 80), dtype=bool)
    whole[10:30, 20:50] = True
    at = "6561f0f0f0f0f0f0f0f0f0"  # and two digits
    corners = ((0.5, 0.5), (0.9, 0.5), (0.9, 0.9))
    said: dict[str, Value] = {"occluded": True, "age": 3.5, "note": "red"}
    marks: dict[Kind, Mark] = {
        "box": Mark("car", (0.1, 0.1, 0.3, 0.3), mark_id=f"{at}01", attributes=said),
        "polygon": Mark("car", mark_id=f"{at}02", paths=(corners, corners[::-1])),
        "keypoint": Mark("car", mark_id=f"{at}03", paths=(((0.2, 0.8),), (), ((0.4, 0.8),))),
        "items": Mark("car", mark_id=f"{at}05"),
        "number": Mark("", mark_id=f"{at}06", number=2.5),
        "mask": Mark("car", mark_id=f"{at}04", mask=mask_of_pixels(whole)),
    }
    attributes = [Attribute("occluded", "flag"), Attribute("age", "number")]
    attributes.append(Attribute("note", "text"))
    tags, setup = make_tags([Asked(kind, kind, ["car"]) for kind in marks], attributes)
    made = [regions([marks[tag.kind]], tag, (80, 60))[0] for tag in tags]
    result = [region for regions_of_tag in made for region in regions_of_tag]
    tasks = [
        {"data": {"image": address}, "predictions": [{"model_version": "m", "result": result}]}
    ]
    project = label_studio.create_project(setup, tasks, model_version="m")
    (task,) = label_studio.task_ids(project)
    person = Annotator(browser, label_studio, label_studio.email)
    saved = f"tasks/{task}/annotations"
    person.page.goto(f"{label_studio.url}/projects/{project}/data?task={task}")
    person.page.locator(".lsf-outliner-item, .lsf-tree__node").first.wait_for()
    with person.page.expect_response(lambda r: r.request.method == "POST" and saved in r.url):
        person.page.get_by_test_id("bottombar-submit-button").click()
    (annotation,) = label_studio.api("GET", f"/api/tasks/{task}/annotations/")
    submitted = {(region["id"], region["from_name"]): region for region in annotation["result"]}
    assert set(submitted) == {(region["id"], region["from_name"]) for region in result}
    drawn = submitted[f"{at}04", "mask"]["value"]["rle"]
    assert drawn == result[-1]["value"]["rle"]
    read = list(regions_of(json.dumps(annotation["result"]).encode(), Remarks()))
    assert attributes_in(read, attributes) == {f"{at}01": said}
    assert submitted[f"{at}06", "number"]["value"]["number"] == 2.5
    person.close()
