"""The control tags with which a batch is labelled: found in a project, or made of classes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, get_args
from xml.sax.saxutils import quoteattr

from labelnext.acquisition import Unit
from labelnext.adapter.batch import WHOLE, Attribute, Kind, Shape, kind_of, shape_of, unit_of
from labelnext.errors import InvalidInput, NotFound
from labelnext_adapters.label_studio_format.xml import attributes, find_tag

KINDS: tuple[Kind, ...] = get_args(Kind)
TAGS: dict[Kind, str] = {
    "items": "Choices",
    "classes": "Choices",
    "number": "Number",
    "box": "RectangleLabels",
    "polygon": "PolygonLabels",
    "keypoint": "KeyPointLabels",
    "mask": "BrushLabels",
}
#: The control tag of each kind of attribute, and its key in a region's value.
ANSWERS = {
    "choice": ("Choices", "choices"),
    "flag": ("Choices", "choices"),
    "number": ("Number", "number"),
    "text": ("TextArea", "text"),
}
MAIN = "label"  # the first tag of the projects that labelnext makes
IMAGE = "image"
FLAGS = ("true", "false")
_INLINE = ' showInline="true"'


class Asked(NamedTuple):
    """What people are asked for.

    Attributes:
        name: of the control tag.
        kind: what they label.
        classes: to choose from.
        heading: above the choices, where people are asked for several; the name when None.
    """

    name: str
    kind: Kind
    classes: Sequence[str] = ()
    heading: str | None = None


@dataclass(frozen=True)
class Tag:
    """A control tag for the labels of a batch.

    Attributes:
        unit: whether it labels images or objects in them.
        from_name: its name.
        to_name: name of the image's tag.
        data_key: where a task's data holds the image.
        labels: its labels.
        shape: as that of a batch.
        attributes: what people say of each object besides its class; each has a tag of its name.
    """

    unit: Unit
    from_name: str
    to_name: str
    data_key: str
    labels: tuple[str, ...]
    shape: Shape = "box"
    attributes: tuple[Attribute, ...] = ()

    @property
    def kind(self) -> Kind:
        """What it labels."""
        return kind_of(self.unit, self.shape)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tag:
        """Back from `to_dict`; earlier versions knew no attributes."""
        said = [Attribute(a["name"], a["kind"], (*a["choices"],)) for a in data.get(_SAID, ())]
        return cls(**{**data, "labels": tuple(data["labels"]), _SAID: tuple(said)})


_SAID = "attributes"


def find_label_tag(
    project: dict[str, Any],
    from_name: str | None,
    kinds: Sequence[Kind],
    *,
    besides: Collection[str] = (),
) -> Tag:
    """The control tag of a project that labels images, or objects in them.

    Args:
        project: its settings.
        from_name: of the tag; the only one that fits when None.
        kinds: what it may label.
        besides: names of tags that are there for something else.

    Raises:
        NotFound: if there is none, or not the named one.
        InvalidInput: if several fit and none is named.
    """
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    found = {n: _kind_of(project, n, tag) for n, tag in tags.items() if n not in besides}
    able = {name: kind for name, kind in found.items() if kind is not None and kind in kinds}
    known = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    wanted = " or ".join(dict.fromkeys(TAGS[kind] for kind in kinds))
    if not able or from_name not in (None, *able):
        several = ' with choice="multiple"' if [*kinds] == ["classes"] else ""
        raise NotFound(
            f"project {project['id']} must have a control tag {wanted} of an image{several}"
            f"{'' if from_name is None else f' named {from_name!r}'}; it has: {known}.",
            hint="change its labelling setup, or leave out send.project to create a new project.",
        )
    if from_name is None and len(able) > 1:
        raise InvalidInput(
            f"send.from_name must be one of {', '.join(able)}, as several fit; got None."
        )
    name = from_name or next(iter(able))
    return _tag(able[name], name, tags[name])


def further_tags(
    project: dict[str, Any], main: Tag, names: Collection[str] | None
) -> Iterator[Tag]:
    """The other control tags that label images, or objects in them.

    Args:
        project: its settings.
        main: the first one.
        names: of the tags that are wanted; all when None.
    """
    for name, tag in (project["parsed_label_config"] or {}).items():
        kind = _kind_of(project, name, tag)
        if kind and name != main.from_name and (names is None or name in names):
            yield _tag(kind, name, tag)


def with_attributes(project: dict[str, Any], tag: Tag, names: Collection[str] | None) -> Tag:
    """A tag of objects with the attributes that the setup asks for of each region.

    Args:
        project: its settings.
        tag: the tag.
        names: of the attributes that are wanted; all when None.
    """
    if tag.kind in WHOLE:
        return tag
    found = []
    for name, other in (project["parsed_label_config"] or {}).items():
        of_regions = _of_regions(project, name) and tag.to_name in other["to_name"]
        if not of_regions or (names is not None and name not in names):
            continue
        choices = tuple(other.get("labels") or ())
        kinds = [kind for kind, (type_, _) in ANSWERS.items() if type_ == other.get("type")]
        if kinds:
            kind = "flag" if {*choices} == {*FLAGS} else kinds[0]
            found.append(Attribute(name, kind, choices))  # type: ignore[arg-type]  # a key of ANSWERS
    return replace(tag, attributes=tuple(found))


def _kind_of(project: dict[str, Any], name: str, tag: dict[str, Any]) -> Kind | None:
    """What a control tag labels of an image; None for another one."""
    kinds = [kind for kind in KINDS if TAGS[kind] == tag.get("type")]
    if not kinds or [i["type"] for i in tag["inputs"]] != ["Image"] or _of_regions(project, name):
        return None
    several = attributes(find_tag(project.get("label_config"), name)).get("choice") == "multiple"
    return "classes" if several and "classes" in kinds else kinds[0]


def _of_regions(project: dict[str, Any], name: str) -> bool:
    return attributes(find_tag(project.get("label_config"), name)).get("perregion") == "true"


def _tag(kind: Kind, name: str, tag: dict[str, Any]) -> Tag:
    place = tag["to_name"][0], tag["inputs"][0]["value"]
    labels = tuple(tag.get("labels") or ())
    return Tag(unit_of(kind), name, *place, labels, shape_of(kind))


def make_tags(asked: Sequence[Asked], said: Sequence[Attribute] = ()) -> tuple[list[Tag], str]:
    """Control tags for a new project, and the labelling setup that holds them.

    Args:
        asked: what people are asked for.
        said: what they say of each object besides its class.

    Raises:
        InvalidInput: if there is no class.

    Example:
        >>> print(make_tags([Asked("label", "items", ["a", "b"])])[1])
        <View><Image name="image" value="$image"/><Choices name="label" toName="image"><Choice \
value="a"/><Choice value="b"/></Choices></View>
    """
    tags, parts = [], []
    for name, kind, classes, heading in asked:
        if not classes and kind != "number":
            raise InvalidInput(
                "the items have no classes, so labelnext can't create a labelling setup.",
                hint="set source.classes for files, dataset.default_classes for a FiftyOne "
                "dataset, or send.project to an existing project.",
            )
        if len(asked) > 1:
            parts.append(_header(heading or name))
        more = ' choice="multiple"' if kind == "classes" else ""
        if len(asked) > 1 and TAGS[kind] == "Choices":
            more += _INLINE
        parts.append(_control(TAGS[kind], name, classes, more))
        of_it = () if kind in WHOLE else tuple(said)
        tags.append(Tag(unit_of(kind), name, IMAGE, IMAGE, (*classes,), shape_of(kind), of_it))
    parts += [_of_each_region(attribute) for attribute in said]
    image = f'<Image name="{IMAGE}" value="${IMAGE}"/>'
    return tags, f"<View>{image}{''.join(parts)}</View>"


def _of_each_region(attribute: Attribute) -> str:
    """What asks for an attribute of the region that is selected."""
    choices = FLAGS if attribute.kind == "flag" else attribute.choices
    more = ' perRegion="true"'
    if ANSWERS[attribute.kind][0] == "Choices":
        more += _INLINE
    if attribute.kind == "text":
        more += ' maxSubmissions="1" editable="true"'
    control = _control(ANSWERS[attribute.kind][0], attribute.name, choices, more)
    return f'<View visibleWhen="region-selected">{_header(attribute.name)}{control}</View>'


def _header(text: str) -> str:
    return f'<Header value={quoteattr(text)} size="5"/>'


def _control(tag: str, name: str, labels: Sequence[str], more: str) -> str:
    part = "Choice" if tag == "Choices" else "Label"
    parts = "".join(f"<{part} value={quoteattr(label)}/>" for label in labels)
    return f'<{tag} name={quoteattr(name)} toName="{IMAGE}"{more}>{parts}</{tag}>'
