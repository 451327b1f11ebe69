"""The control tags of a labelling setup, and which of them is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.label_studio_format.controls import CONTROLS
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.xml import (
    SEPARATOR,
    attributes,
    derived_tags,
    find_tag,
    named_tags,
    other_names,
    paths,
    pattern,
    scored_tags,
    unread_types,
)

_OF_TEXT = ("HyperTextLabels", "ParagraphLabels")
_TEXTS = ("Text", "HyperText", "Paragraphs")


def find_setup(project: dict[str, Any], from_name: str | Sequence[str] | None) -> Setup:
    """The control tag to read predictions of, or several that label parts of items.

    Raises:
        NotFound: if there is none that can be read, or not the named one.
        InvalidInput: if there are several and none is named, if those named cannot be read
            together, or if the labels cannot be known.
    """
    tags, able = project["parsed_label_config"] or {}, readable_tags(project)
    known = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    hint = f"the labelling setup has: {known}."
    if from_name is None:
        able = _most_telling(able)
    wanted = [from_name] if isinstance(from_name, str) else list(from_name or able)
    for name in wanted:
        able |= _repetition(able, name)
        if name not in able:
            raise NotFound(f"from_name must be a supported control tag; got {name!r}.", hint=hint)
    if not wanted:
        *names, last = CONTROLS
        raise NotFound(
            f"the labelling setup must have a control tag of type {', '.join(names)} or {last}.",
            hint=hint,
        )
    if from_name is None and len(wanted) > 1:
        raise InvalidInput(
            f"source.from_name must be one of the control tags {', '.join(able)}; it is not set.",
            hint=f"{hint} You can combine tags that label parts of items in a list.",
        )
    return _combined(project, {name: able[name] for name in wanted})


def has_dynamic(project: dict[str, Any], from_name: str | Sequence[str] | None) -> bool:
    """Whether a control tag that is read, or may be, gets its labels from each task's data."""
    tags = readable_tags(project)
    named = [from_name] if isinstance(from_name, str) else [*(from_name or tags)]
    known = named if tags.keys() >= set(named) else [*tags]  # a name may be one of a Repeater's
    return any(tags[name].get("dynamic_labels") for name in known)


def add_occurring(tags: dict[str, Any], results: Iterable[msgspec.Raw]) -> None:
    """Note the labels that occur of each control tag whose labels stand in the tasks' data.

    Args:
        tags: of the labelling setup; those get a key `occurring`.
        results: regions of predictions and annotations, as JSON.
    """
    dynamic = {name: tag for name, tag in tags.items() if tag.get("dynamic_labels")}
    there = derived_tags(results)[0] if dynamic else {}
    for name, tag in dynamic.items():
        found = [there[other]["labels"] for other in there if _occurs(name, tag, {other})]
        tag["occurring"] = sorted({*tag.get("labels", ())}.union(*found))


def readable_tags(project: dict[str, Any]) -> dict[str, Any]:
    """The control tags of the labelling setup that can be read, by their names."""
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    return {name: tag for name, tag in tags.items() if tag.get("type") in CONTROLS}


def only_predicted(project: dict[str, Any], results: Sequence[msgspec.Raw]) -> str | None:
    """The one of several control tags that scores are of, or else predictions.

    Args:
        project: with its labelling setup.
        results: regions of predictions, as JSON.

    Returns:
        None if they are of several, if there are none, or if it would be read anyway.

    Raises:
        InvalidInput: if they are of none that can be read.
    """
    able, scored, predicted = readable_tags(project), scored_tags(results), named_tags(results)
    telling = [*_most_telling(able)]
    for names, there in (([*able], scored), ([*able], predicted), (telling, predicted)):
        found = [n for n in names if _occurs(n, able[n], there)]
        if len(found) == 1:
            return None if found == telling else found[0]
    unread = not any(_occurs(name, tag, predicted) for name, tag in able.items())
    if len(telling) > 1 and unread and (others := unread_types(results)):
        raise InvalidInput(
            f"predictions must be of a control tag that can be read; got {listed(others)}.",
            hint=f"set source.from_name to the tag that you ask about: {', '.join(able)}.",
        )
    return None


def _occurs(name: str, tag: dict[str, Any], predicted: set[str]) -> bool:
    """Whether a control tag is among names, those in a Repeater by any of theirs."""
    of_all = pattern(name, tag.get("regex"))
    return name in predicted or (of_all is not None and any(map(of_all.fullmatch, predicted)))


def derived_notices(setup: Setup) -> list[Notice]:
    """The notice of classes that are those that occur; empty if the setup lists its labels."""
    if not setup.derived:
        return []
    return [Notice("derived_classes", f"The classes come from the data: {listed(setup.classes)}.")]


def only_predicted_notice(
    project: dict[str, Any], name: str, looked_at: int | None = None
) -> Notice:
    """The notice of a control tag that was chosen because scores or predictions are of it alone.

    Args:
        project: with its labelling setup.
        name: of the control tag.
        looked_at: of how many tasks the predictions were looked at; of all when None.
    """
    able = readable_tags(project)
    telling = _most_telling(able)  # the tags that go with these may have predictions, too
    others = [other for other in (telling if name in telling else able) if other != name]
    among = "" if looked_at is None else f" in the first {looked_at} tasks that have any"
    message = (
        f"Reading control tag {name!r}, because there are no scored predictions of "
        f"{listed(others)}{among}; set source.from_name to read another."
    )
    return Notice("only_predicted", message)


def _repetition(able: dict[str, Any], name: str) -> dict[str, Any]:
    """A tag of that name, if it is one of the repetitions of a tag in a Repeater."""
    for tag_name, tag in able.items():
        of_all = pattern(tag_name, tag.get("regex"))
        if name not in able and of_all is not None and of_all.fullmatch(name):
            return {name: {**tag, "regex": None, "repeats": tag_name}}
    return {}


def _combined(project: dict[str, Any], wanted: dict[str, Any]) -> Setup:
    """The setup of these tags.

    Raises:
        InvalidInput: if they can't be read together, or if the labels cannot be known.
    """
    (first, tag), *others = wanted.items()
    described = {
        name: find_tag(project.get("label_config"), of_tag.get("repeats") or name)
        for name, of_tag in wanted.items()
    }
    details = {name: attributes(expression) for name, expression in described.items()}
    per_region = frozenset(
        name
        for name, of_tag in wanted.items()
        if of_tag.get("per_region")
        or "true" in (details[name].get("perregion"), details[name].get("peritem"))
        or (of_tag.get("regex") and CONTROLS[of_tag["type"]].unit == "items")
    )
    if len(wanted) > 1 and any(
        CONTROLS[of_tag["type"]].unit == "items" and name not in per_region
        for name, of_tag in wanted.items()
    ):
        kinds = ", ".join(f"{name} ({of_tag['type']})" for name, of_tag in wanted.items())
        raise InvalidInput(
            "from_name must be a list of tags that label parts of items, such as boxes; "
            f"got {kinds}.",
            hint="name one tag.",
        )
    separator = details[first].get("pathseparator") or SEPARATOR
    labels: dict[str, None] = {}
    aliases: dict[str, str] = {}
    for name, of_tag in wanted.items():
        labels |= dict.fromkeys(_labels(project, name, of_tag, described[name], separator))
        aliases |= _aliases(of_tag, described[name], labels, separator)
    classes = {label: i for i, label in enumerate(labels)}
    patterns = {name: pattern(name, of_tag.get("regex")) for name, of_tag in wanted.items()}
    return Setup(
        first,
        tag["type"],
        classes,
        details[first].get("choice") == "multiple" or tag["type"] == "Taxonomy",
        {name: of_tag["type"] for name, of_tag in others},
        per_region,
        {name: expression for name, expression in patterns.items() if expression is not None},
        {other: classes[label] for other, label in aliases.items() if label in classes},
        separator,
        all(
            _of_text(t, project.get("label_config"), details[name].get("perregion") == "true")
            for name, t in wanted.items()
        ),
        project.get("label_config") == "" or any("occurring" in t for t in wanted.values()),
    )


def _of_text(tag: dict[str, Any], xml: object, of_regions: bool) -> bool:
    """Whether a tag labels spans of a text; those of a sound or a shape have the same tag.

    Args:
        tag: of the labelling setup.
        xml: the setup.
        of_regions: whether the tag asks about each region.
    """
    if tag["type"] != "Labels" and not (of_regions or tag.get("of_text")):
        return tag["type"] in _OF_TEXT
    targets = [find_tag(xml, name) for name in tag["to_name"]]
    known = [target.tag in _TEXTS for target in targets if target is not None]
    return all(known) if known else bool(tag.get("of_text"))


def _aliases(
    tag: dict[str, Any], described: Element | None, labels: Iterable[str], separator: str
) -> dict[str, str]:
    """Labels by other names that predictions may use: before an alias, a path, its end, `A/x`."""
    if tag["type"] != "Taxonomy":
        return {} if described is None else other_names(described, separator)
    ends: dict[str, list[str]] = {}
    for path in labels:
        ends.setdefault(path.rpartition(separator)[2], []).append(path)
    said = {} if described is None else paths(described, separator)
    by_value = {value: path for path, value in said.items() if value not in said}
    tight = {path.replace(separator, separator.strip()): path for path in labels}
    return {end: names[0] for end, names in ends.items() if len(names) == 1} | tight | by_value


def _most_telling(able: dict[str, Any]) -> dict[str, Any]:
    """Without the tags that only go with others: free text, and the labels of a video's boxes."""
    classed = {n: tag for n, tag in able.items() if CONTROLS[tag["type"]].classed}
    tracks = {
        to for tag in able.values() if tag["type"] == "VideoRectangle" for to in tag["to_name"]
    }
    alone = {
        n: tag
        for n, tag in classed.items()
        if tag["type"] != "Labels" or not tracks.intersection(tag["to_name"])
    }
    kinds = [alone, {n: t for n, t in able.items() if CONTROLS[t["type"]].single}, able]
    return next((kind for kind in kinds if kind), {})


def _labels(
    project: dict[str, Any],
    name: str,
    tag: dict[str, Any],
    described: Element | None,
    separator: str,
) -> list[str]:
    """The classes of a control tag, in the order of the labelling setup."""
    kind = tag["type"]
    if "occurring" in tag:
        return list(tag["occurring"])
    if kind == "Pairwise":
        return ["left", "right"]
    if kind == "Rating":
        return [str(stars) for stars in range(1, _most_stars(attributes(described)) + 1)]
    labels: list[str] = list(tag.get("labels") or ())
    if kind == "Taxonomy" and described is not None:
        labels = [*paths(described, separator)]
    if kind == "VideoRectangle":  # its labels stand in a tag of their own
        labels = [
            label
            for other in project["parsed_label_config"].values()
            if other.get("type") == "Labels" and {*other["to_name"]} & {*tag["to_name"]}
            for label in other["labels"]
        ]
        if not labels and not tag.get("dynamic_labels"):
            return []  # tracks without a class
    if CONTROLS[kind].classed and (tag.get("dynamic_labels") or not labels):
        dynamic = tag.get("dynamic_labels")
        raise InvalidInput(
            f"control tag {name!r} must list its labels in the labelling setup; "
            + ("they come from each task's data." if dynamic else "it has none."),
            hint="such labels can be ranked, but not written or fetched."
            if dynamic
            else "add them in the project's Settings, under Labeling Interface.",
        )
    return labels if CONTROLS[kind].classed else []


def _most_stars(details: dict[str, str]) -> int:
    most = details.get("maxrating", "5")
    return int(most) if most.isdecimal() and len(most) < 4 else 5
