"""People who leave the organization: whom a tab is for, and what they did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.ranking import rank
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.writing import write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

GOOD = {"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}


def number_of(person: LabelStudio) -> int:
    return int(person.api("GET", "/api/current-user/whoami")["id"])


def remove(owner: LabelStudio, person: LabelStudio) -> None:
    organization = owner.api("GET", "/api/current-user/whoami")["active_organization"]
    path = f"/api/organizations/{organization}/memberships/{number_of(person)}/"
    owner.api("DELETE", path)


def test_two_people_who_left_stay_two_people(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2), maximum_annotations=3)
    first, second = label_studio.task_ids(project)
    leavers = [label_studio.second_user() for _ in range(2)]
    for person in leavers:
        body = {"result": [GOOD], "lead_time": 1.0}
        person.api("POST", f"/api/tasks/{first}/annotations/", body)
    numbers = [number_of(person) for person in leavers]
    for person in leavers:
        remove(label_studio, person)
        person.close()
    adapter = connect(project)
    names = {f"user {number}" for number in numbers}
    assert {act.person for act in adapter.work().acts} == names
    assert {record.person for record in adapter.label_records().records} == names
    assert second not in {act.item_id for act in adapter.work().acts}


def test_a_name_that_means_nobody_is_named(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    stays, leaves = label_studio.second_user(), label_studio.second_user()
    adapter = connect(project, write={"annotators": [stays.email, leaves.email]})

    def said() -> list[str]:
        plan = adapter.plan(rank(adapter.read(), "margin", budget=4))
        return [line for line in plan.next_steps if "write.annotators" in line]

    assert said() == []
    remove(label_studio, leaves)
    (line,) = said()
    assert line.startswith(f"Nobody in the organization is called {leaves.email}, ")
    write(connect(project, write={"annotators": ["left", "right"]}), tmp_path)  # mere names
    stays.close()
    leaves.close()
