"""What a batch becomes on its way to Label Studio, as far as no server is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from labelnext.adapter.batch import Mark, Origin
from labelnext.adapter.registry import open_target
from labelnext.errors import ConfigError, InvalidInput, NotFound, UnknownName
from labelnext.runs.exchange import fetch, send
from labelnext_adapters.label_studio import LabelStudioSend
from labelnext_adapters.label_studio.send.label_tag import Asked, Tag, find_label_tag, make_tags
from labelnext_adapters.label_studio.send.media import MOST_FILES, addresses, check_files, parts
from labelnext_adapters.label_studio.send.regions import regions


def project(**tags: tuple[str, str]) -> dict[str, Any]:
    """Settings with these control tags: their type, and the type of what they label."""
    parsed = {
        name: {
            "type": kind,
            "to_name": ["thing"],
            "inputs": [{"type": of, "value": "picture"}],
            "labels": ["a", "b"],
        }
        for name, (kind, of) in tags.items()
    }
    return {"id": 7, "parsed_label_config": parsed}


def test_the_tag_that_fits_is_found_among_others() -> None:
    several = project(kind=("Choices", "Image"), box=("RectangleLabels", "Image"))
    assert find_label_tag(several, None, ["box"]) == Tag(
        "objects", "box", "thing", "picture", ("a", "b")
    )
    assert find_label_tag(several, None, ["items"]).from_name == "kind"
    assert find_label_tag(several, "box", ["items", "box"]).unit == "objects"


def test_a_tag_must_be_named_where_several_fit() -> None:
    several = project(kind=("Choices", "Image"), box=("RectangleLabels", "Image"))
    with pytest.raises(
        InvalidInput, match="send.from_name must be one of kind, box, as several fit"
    ):
        find_label_tag(several, None, ["items", "box"])


@pytest.mark.parametrize(
    ("tags", "name"),
    [({}, None), ({"c": ("Choices", "Text")}, None), ({"c": ("Choices", "Image")}, "d")],
)
def test_a_project_without_a_tag_that_fits_is_refused(tags: Any, name: str | None) -> None:
    with pytest.raises(NotFound, match="project 7 must have a control tag Choices of an image"):
        find_label_tag(project(**tags), name, ["items"])


def test_a_setup_holds_any_class_name_as_it_is() -> None:
    names = ['"quoted"', "a & b", "<b>", "ümläut", "it's"]
    _, setup = make_tags([Asked("label", "box", names)])
    assert [label.get("value") for label in ElementTree.fromstring(setup).iter("Label")] == names


def test_a_setup_needs_classes() -> None:
    with pytest.raises(InvalidInput, match="the items have no classes"):
        make_tags([Asked("label", "items", [])])


def test_marks_without_a_label_or_box_of_the_project_are_counted() -> None:
    (tag,), _ = make_tags([Asked("label", "box", ["car"])])
    marks = [Mark("car", (0, 0, 1, 1)), Mark("cow", (0, 0, 1, 1)), Mark("car")]
    made, left_out = regions(marks, tag, (200, 100))
    assert left_out == 2
    assert [region["value"]["rectanglelabels"] for region in made] == [["car"]]
    assert "score" not in made[0]
    assert (made[0]["original_width"], made[0]["original_height"]) == (200, 100)


def test_addresses_of_the_web_are_taken_as_they_are() -> None:
    media = {"a": "s3://bucket/a.png", "b": "/images/b.png"}
    assert addresses(media, None, "x") == {"a": "s3://bucket/a.png"}
    assert addresses(media, Path("/images"), "http://h/") == {
        "a": "s3://bucket/a.png",
        "b": "http://h/b.png",
    }


def test_images_outside_the_folder_are_named() -> None:
    with pytest.raises(InvalidInput, match=r"got 1 outside it: /other/b\.png"):
        addresses({"a": "/images/a.png", "b": "/other/b.png"}, Path("/images"), "x")


def test_images_are_where_their_links_lead(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    (root / "a").mkdir(parents=True)
    other.mkdir()
    for path in (root / "a/1 é.png", other / "2.png"):
        path.write_bytes(b"x")
    (tmp_path / "way").symlink_to("root")
    (root / "in.png").symlink_to("a/1 é.png")
    (root / "out.png").symlink_to("../other/2.png")
    (root / "b").symlink_to("../other")
    inside = {
        "a/1 é.png": "a/1%20%C3%A9.png",
        "in.png": "in.png",
        "a/../a/1 é.png": "a/1%20%C3%A9.png",
        "../way/a/1 é.png": "a/1%20%C3%A9.png",
    }
    assert addresses({name: f"{root}/{name}" for name in inside}, root, "d=") == {
        name: f"d={below}" for name, below in inside.items()
    }
    assert addresses({"x": f"{root}/in.png"}, tmp_path / "way", "d=") == {"x": "d=a/1%20%C3%A9.png"}
    for name in ("out.png", "b/2.png", "../other/2.png", "b/../other/2.png"):
        with pytest.raises(InvalidInput, match=r"inside send\.document_root.*got 1 outside"):
            addresses({name: f"{root}/{name}"}, root, "d=")


def test_what_is_no_image_is_not_uploaded(tmp_path: Path) -> None:
    contents = {"secret": b"root:x:0", "a.png": b"x", "blob": b"\x89PNG\r\n", "key.pem": b"-----"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name, target in {"s.png": "secret", "b.png": "blob", "a": "a.png"}.items():
        (tmp_path / name).symlink_to(target)
    check_files([f"{tmp_path}/{name}" for name in ("a.png", "blob", "b.png", "a")])
    for name in ("secret", "s.png", "key.pem", "../" + tmp_path.name + "/s.png"):
        with pytest.raises(InvalidInput, match="must be images; got 1 other files"):
            check_files([f"{tmp_path}/{name}"])


def test_uploads_go_in_parts_that_the_server_takes(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"x")
    media = {str(i): str(path) for i in range(2 * MOST_FILES + 1)}
    assert [len(part) for part in parts(media)] == [MOST_FILES, MOST_FILES, 1]
    assert list(parts({})) == []


def test_uploads_that_are_large_together_go_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext_adapters.label_studio.send import media as module

    path = tmp_path / "x.png"
    path.write_bytes(b"12345678")
    monkeypatch.setattr(module, "MOST_BYTES", 20)
    assert [len(p) for p in parts({str(i): str(path) for i in range(5)})] == [2, 2, 1]
    check_files([str(path)])
    monkeypatch.setattr(module, "MOST_BYTES", 7)
    with pytest.raises(InvalidInput, match="must be smaller than 7 bytes"):
        check_files([str(path)])


def test_the_data_key_of_a_platform_is_a_plain_name() -> None:
    assert Origin("my-platform", "d", "1").key == "my_platform_id"


def test_sending_without_an_address_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"send\.url is missing"):
        open_target(LabelStudioSend(api_key="secret"))  # type: ignore[arg-type]  # pydantic reads it
    with pytest.raises(ConfigError, match=r"send\.api_key is missing"):
        open_target(LabelStudioSend(url="http://h"))


def test_a_platform_that_takes_no_batches_is_refused_with_those_that_do() -> None:
    config = {"source": {"adapter": "files", "path": "x"}, "send": {"adapter": "files"}}
    with pytest.raises(ConfigError, match=r"send\.adapter .*fiftyone, label-studio"):
        send(config)
    with pytest.raises(UnknownName):
        open_target(LabelStudioSend(adapter="files"))


def test_files_have_no_further_fields_to_send() -> None:
    config = {"source": {"adapter": "files", "path": "x"}, "send": {"fields": ["weather"]}}
    with pytest.raises(ConfigError, match="send.fields must be left out for files data"):
        send(config)


@pytest.mark.parametrize("names", [{"fields": ["label"]}, {"fields": ["a"], "attributes": ["a"]}])
def test_names_of_fields_and_attributes_must_differ(names: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must be different names, and none of them label or"):
        send({"source": {"adapter": "files", "path": "x"}, "send": names})


@pytest.mark.parametrize("command", [send, fetch])
def test_a_source_without_batches_is_refused(command: Any) -> None:
    source = {"adapter": "label-studio", "url": "http://h", "api_key": "k", "project": 1}
    with pytest.raises(ConfigError, match="; 'label-studio' can't.") as caught:
        command({"source": source})
    assert "fiftyone" in str(caught.value.hint)


def test_labels_are_not_fetched_into_files() -> None:
    with pytest.raises(ConfigError, match="must be able to take labels back; 'files' can't"):
        fetch({"source": {"adapter": "files", "path": "p.csv"}})


def test_a_dataset_must_be_named_to_be_sent_to() -> None:
    with pytest.raises(ConfigError, match=r"send\.dataset must be given"):
        send({"source": {"adapter": "files", "path": "p"}, "send": {"adapter": "fiftyone"}})


def test_a_token_of_send_is_never_shown() -> None:
    from labelnext.config import load_config

    send_options = {"url": "http://h", "api_key": "very-secret"}
    config = load_config({"source": {"adapter": "files", "path": "x"}, "send": send_options})
    assert "very-secret" not in str(config.to_dict())
    with pytest.raises(ConfigError) as error:
        load_config(
            {"source": {"adapter": "files", "path": "x"}, "send": {"api_key": "very secret"}}
        )
    assert "very secret" not in str(error.value)
