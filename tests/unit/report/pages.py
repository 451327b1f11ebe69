"""A page as its elements, so that tests look at what it says and not at its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "link", "img", "input"})


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """All elements of that tag below this one; `class_` holds one of the class names."""
        found = []
        for child in self.children:
            kinds = child.attributes.get("class", "").split()
            wanted = {n: v for n, v in attributes.items() if n != "class_"}
            fits = all(child.attributes.get(n) == v for n, v in wanted.items())
            if child.tag == tag and fits and attributes.get("class_", "") in [*kinds, ""]:
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    @property
    def text(self) -> str:
        """All words of it and below it."""
        parts = [*self.words, *(child.text for child in self.children)]
        return " ".join(" ".join(parts).split())


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {n: v or "" for n, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].words.append(data)


def parsed(text: str) -> Element:
    """A page as its elements."""
    parser = _Parser()
    parser.feed(text)
    assert len(parser.open) == 1
    return parser.open[0]
