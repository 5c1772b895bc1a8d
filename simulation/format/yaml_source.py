"""YAML 1.1 read strictly, each value with the file, line and key it stands at, so that every fault can be shown.

Duplicate keys, keys that are not text, unknown tags, several documents and self-containing aliases are refused.
Nothing is coerced: a value is what YAML 1.1 says it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TypeGuard

import yaml

from simulation.format.faults import Fault, MalformedScenario, Place

MAX_FILE_BYTES = 1_000_000
MAX_VALUES = 100_000
"""An alias of an alias of an alias may not become more values than this."""

Scalar = str | int | float | bool | datetime | date | None

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp"))
_MERGE = _TAG + "merge"


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it was written. A map's `value` is a dict of `Located`, a list's a tuple of them."""

    place: Place
    value: "Scalar | Mapping[str, Located] | tuple[Located, ...]"
    key_places: Mapping[str, Place] = field(default_factory=dict)
    """Of a map: where each key stands."""

    def at(self, path: Sequence[str | int]) -> Place:
        """Where the value at `path` stands, or the nearest that is there. Parts that lead nowhere are passed over."""
        place, here = self.place, self
        for part in path:
            if isinstance(part, str) and is_map(here.value) and part in here.value:
                place, here = here.key_places[part], here.value[part]
            elif isinstance(part, int) and isinstance(here.value, tuple) and part < len(here.value):
                here = here.value[part]
                place = here.place
        return place

    def plain(self) -> object:
        """The value alone, lists as tuples."""
        if is_map(self.value):
            return {key: each.plain() for key, each in self.value.items()}
        if isinstance(self.value, tuple):
            return tuple(each.plain() for each in self.value)
        return self.value


def is_map(value: object) -> TypeGuard[Mapping[str, Located]]:
    """Whether the value of a `Located` is a map."""
    return isinstance(value, Mapping)


def read_yaml(file: Path, shown: str) -> Located:
    """The one map in `file`; `shown` is the file's name in faults.

    Raises:
        MalformedScenario: it cannot be read, or is not such YAML.
    """
    start = Place(shown, 1, ())
    try:
        content = file.read_bytes()
    except OSError as error:
        raise MalformedScenario([Fault(start, f"cannot be read: {error.strerror}")]) from None
    if len(content) > MAX_FILE_BYTES:
        raise MalformedScenario([Fault(start, f"is larger than {MAX_FILE_BYTES} bytes")])
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise MalformedScenario([Fault(Place(shown, mark.line + 1 if mark else 1, ()), _problem(error))]) from None
    except yaml.YAMLError:
        raise MalformedScenario([Fault(start, "is not text that YAML can hold")]) from None
    except RecursionError:
        raise MalformedScenario([Fault(start, "is nested too deeply")]) from None
    if node is None:
        raise MalformedScenario([Fault(start, "is empty")])
    return _Reader(shown).read(node)


def _problem(error: yaml.MarkedYAMLError) -> str:
    return " ".join(part for part in (error.context, error.problem) if part) or "is not YAML"


class _Reader:
    """Turns composed nodes into `Located` values and collects every fault on the way."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._faults: list[Fault] = []
        self._scalars = yaml.constructor.SafeConstructor()
        self._left = MAX_VALUES

    def read(self, node: yaml.Node) -> Located:
        located = self._value(node, (), ())
        if not is_map(located.value):
            self._faults.append(Fault(located.place, "a scenario is a map of keys"))
        if self._faults:
            raise MalformedScenario(self._faults)
        return located

    def _place(self, node: yaml.Node, path: tuple[str | int, ...]) -> Place:
        return Place(self._shown, node.start_mark.line + 1, path)

    def _value(self, node: yaml.Node, path: tuple[str | int, ...], within: tuple[yaml.Node, ...]) -> Located:
        place = self._place(node, path)
        self._left -= 1
        if self._left < 0:
            raise MalformedScenario([Fault(place, f"holds more than {MAX_VALUES} values")])
        if any(node is outer for outer in within):
            return self._refused(place, "an alias may not contain itself")
        within = (*within, node)
        match node:
            case yaml.MappingNode(tag=tag) if tag == _TAG + "map":
                return self._map(node, path, within)
            case yaml.SequenceNode(tag=tag) if tag == _TAG + "seq":
                items = (self._value(each, (*path, index), within) for index, each in enumerate(node.value))
                return Located(place, tuple(items))
            case yaml.ScalarNode(tag=tag) if tag in _SCALARS:
                return self._scalar(node, place)
        return self._refused(place, f"the tag {node.tag.replace(_TAG, '!!')} has no meaning here")

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Located:
        try:
            return Located(place, self._scalars.construct_object(node))
        except (ValueError, OverflowError, yaml.YAMLError):
            kind = node.tag.removeprefix(_TAG)
            return self._refused(place, f"looks like a {kind} and is none; quote it if it is text")

    def _map(self, node: yaml.MappingNode, path: tuple[str | int, ...], within: tuple[yaml.Node, ...]) -> Located:
        own: dict[str, Located] = {}
        places: dict[str, Place] = {}
        merged: list[Located] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged.extend(self._merged(value_node, path, within))
                continue
            if key_node.tag != _TAG + "str":
                self._refused(self._place(key_node, path), f"the key {_shown(key_node)} is not text; quote it")
                continue
            key = str(key_node.value)
            place = self._place(key_node, (*path, key))
            if key in own:
                self._refused(place, f"this key is given twice, first in line {places[key].line}")
            own[key], places[key] = self._value(value_node, (*path, key), within), place
        located = Located(self._place(node, path), own, places)
        for each in merged:
            located = Located(located.place, {**_map_of(each), **own}, {**each.key_places, **places})
            own, places = dict(_map_of(located)), dict(located.key_places)
        return located

    def _merged(self, node: yaml.Node, path: tuple[str | int, ...], within: tuple[yaml.Node, ...]) -> Iterator[Located]:
        """The maps that `<<` names: one, or a list of them, the first of which wins."""
        for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            located = self._value(each, path, within)
            if is_map(located.value):
                yield located
            else:
                self._refused(located.place, "only a map can be merged with <<")

    def _refused(self, place: Place, message: str) -> Located:
        self._faults.append(Fault(place, message))
        return Located(place, None)


def _map_of(located: Located) -> Mapping[str, Located]:
    return located.value if is_map(located.value) else {}


def _shown(node: yaml.Node) -> str:
    return str(node.value)[:40] if isinstance(node, yaml.ScalarNode) else "that is a list or a map"
