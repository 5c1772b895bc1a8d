"""Plays sequences against both sides, a batch of cases at a time, and tells where the sides part."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.equivalence.allowed import without_added
from tests.equivalence.sides import Side
from tests.equivalence.stories import Story

Json = dict[str, Any]

AT_ONCE = 200
"""Sequences side by side: each line to a server holds one request of every one of them."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A sequence at whose last request the sides answered differently."""

    index: int
    requests: list[Json]
    old: Json
    new: Json


@dataclass(slots=True)
class Coverage:
    """How often each word was seen in the older side's replies."""

    requests: int = 0
    seen: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, kind: str, word: str | None) -> None:
        if word is not None:
            self.seen.setdefault(kind, Counter())[word] += 1

    def add(self, request: Json, reply: Json) -> None:
        self.requests += 1
        for event in (*reply.get("events", ()), *request.get("restore", ())[-1:]):
            self.count("event", event["type"])
            basis = event["public"].get("basis") or {}
            for result in basis.get("results", ()):
                self.count("because", f"{result['rule']}: {result['because']}")
        self.count("code", reply.get("code"))
        self.count("boarding", reply.get("boarding"))
        for name in ("stage", "waiting_on", "outcome", "reason", "due_name"):
            self.count(name, (reply.get("summary") or {}).get(name))
        for name in ("invalid", "raised"):
            if name in reply:
                self.count(name, str(reply[name]))


class Driver:
    """Both sides, and what the sequences have reached so far."""

    def __init__(self, old: Side, new: Side) -> None:
        self._old, self._new = old, new
        self.coverage = Coverage()

    def play(self, seed: int, indices: range) -> Iterator[Parted]:
        """Play the sequences of `seed`; each ends where the sides part."""
        waiting = iter(indices)
        stories = [Story(seed, index, slot) for slot, index in zip(range(AT_ONCE), waiting, strict=False)]
        while stories:
            turns = [(story, request) for story in stories if (request := story.next()) is not None]
            pairs = self._ask([request for _, request in turns])
            going_on: dict[int, Story] = {}
            for (story, request), (old, new) in zip(turns, pairs, strict=True):
                self.coverage.add(request, old)
                story.heard(old)
                if old == new:
                    going_on[story.slot] = story
                else:
                    yield Parted(story.index, story.requests, old, new)
            free = (story.slot for story in stories if story.slot not in going_on)
            fresh = [Story(seed, index, slot) for slot, index in zip(free, waiting, strict=False)]
            stories = [*going_on.values(), *fresh]

    def shortest(self, parted: Parted) -> Parted:
        """The sequence without the requests that the difference does not need."""
        position = 1
        while position < len(parted.requests):
            fewer = parted.requests[:position] + parted.requests[position + 1 :]
            found = self._replay(parted.index, fewer)
            if found is None:
                position += 1
            else:
                parted = found
        return parted

    def _replay(self, index: int, requests: list[Json]) -> Parted | None:
        for number, request in enumerate(requests, start=1):
            [(old, new)] = self._ask([request])
            if old != new:
                return Parted(index, requests[:number], old, new)
        return None

    def _ask(self, requests: list[Json]) -> list[tuple[Json, Json]]:
        if not requests:
            return []
        self._old.send(requests)
        self._new.send(requests)
        olds, news = self._old.replies(len(requests)), self._new.replies(len(requests))
        return [_pair(*each) for each in zip(requests, olds, news, strict=True)]


def _pair(request: Json, old_text: bytes, new_text: bytes) -> tuple[Json, Json]:
    old: Json = json.loads(old_text)
    if old_text == new_text:
        return old, old
    return old, without_added(request, json.loads(new_text))
