"""A page as its reader meets it: what it says, what can be pressed, and whether it is well made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset({"meta", "input", "br", "link", "hr", "img"})


@dataclass
class Form:
    """What is sent where, when its button is pressed."""

    action: str
    button: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """Parses and judges: elements that do not close, ids twice, inputs without a label."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.rows: list[list[str]] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self._ids: set[str] = set()
        self._labelled: set[str] = set()
        self._href: str | None = None
        self.feed(html)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self._open]

    @property
    def text(self) -> str:
        """All that is shown, in one line."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "script" or any(name.startswith("on") for name in found) or "style" in found:
            self.faults.append(f"{tag} runs or is styled in place")
        if "id" in found:
            self.faults += [f"id {found['id']} twice"] if found["id"] in self._ids else []
            self._ids.add(found["id"])
        self._note(tag, found)

    def _note(self, tag: str, found: Mapping[str, str]) -> None:
        match tag:
            case "label":
                self._labelled.add(found["for"])
            case "a":
                self._href = found["href"]
            case "tr":
                self.rows.append([])
            case "td" | "th":
                self.rows[-1].append("")
            case "form":
                self.forms.append(Form(found["action"]))
                self.faults += [] if found["method"] == "post" else ["a form in an address"]
            case "input":
                self.forms[-1].fields.append((found["name"], found.get("value", "")))
                labelled = found["type"] == "hidden" or found.get("id") in self._labelled
                self.faults += [] if labelled else [f"{found['name']} has no label"]
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"{tag} closes what is not open")
        if tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        if "style" in self._open or "title" in self._open:
            return
        self.words.append(data)
        if self._href is not None:
            self.links[data] = self._href
        if "button" in self._open:
            self.forms[-1].button += data
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data
