"""From files to scenarios: read, merge the bases, validate, and show every fault of every file before anything runs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain import registry
from simulation.format.applications import tag_of
from simulation.format.consistency import inconsistencies
from simulation.format.faults import Fault, MalformedScenario
from simulation.format.merging import merge
from simulation.format.scenario import Scenario
from simulation.format.yaml_source import Located, is_map, read_yaml

MAX_BASES = 20
MAX_LISTED = 320
"""What may stand in the place of a wrong word is told if the list is no longer than this."""


def load_scenarios(files: Sequence[Path]) -> list[Scenario]:
    """The scenarios of `files`, in order.

    Raises:
        MalformedScenario: any of them is malformed; it names every fault of every file.
    """
    scenarios: list[Scenario] = []
    faults: list[Fault] = []
    for file in files:
        try:
            scenarios.append(load_scenario(file))
        except MalformedScenario as malformed:
            faults.extend(malformed.faults)
    if faults:
        raise MalformedScenario(faults)
    return scenarios


def load_scenario(file: Path) -> Scenario:
    """The scenario in `file`, its bases merged.

    Raises:
        MalformedScenario: names every fault, each where it was written: a base's fault in the base.
    """
    source = _spread(_read_with_bases(file, str(file), ()))
    try:
        scenario = Scenario.model_validate(source.plain(), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        raise MalformedScenario(dict.fromkeys(_fault(source, each) for each in details)) from None
    faults = list(inconsistencies(scenario, source))
    if faults:
        raise MalformedScenario(faults)
    return scenario


def _read_with_bases(file: Path, shown: str, extending: tuple[Path, ...]) -> Located:
    source = read_yaml(file, shown)
    named = source.value["extends"] if is_map(source.value) and "extends" in source.value else None
    if named is None:
        return source
    place = source.at(["extends"])
    if not isinstance(named.value, str) or not named.value:
        raise MalformedScenario([Fault(place, "names a file, relative to this one or absolute")])
    base = file.parent / named.value
    line = (*extending, file.resolve())
    if base.resolve() in line:
        raise MalformedScenario([Fault(place, f"{named.value} extends this file in turn: a circle has no base")])
    if len(line) > MAX_BASES:
        raise MalformedScenario([Fault(place, f"more than {MAX_BASES} bases, each extending the next")])
    if not base.is_file():
        raise MalformedScenario([Fault(place, f"there is no file {named.value}")])
    return merge(_read_with_bases(base, str(base), line), source)


def _spread(source: Located) -> Located:
    """`source` with the scenario's programme and partners under those of each application, and without `extends`."""
    top = {key: each for key, each in _keys(source) if key not in ("extends", "partners")}
    partners = dict(_keys(source)).get("partners")
    if partners is not None and not is_map(partners.value):
        raise MalformedScenario([Fault(source.at(["partners"]), "is a map of partners")])
    under = {"programme": top.get("programme"), "partners": partners}
    applications = top.get("applications")
    if applications is not None and is_map(applications.value):
        spread = {name: _over(under, each) for name, each in applications.value.items()}
        top["applications"] = Located(applications.place, spread, applications.key_places)
    return Located(source.place, top, source.key_places)


def _over(under: Mapping[str, Located | None], application: Located) -> Located:
    if not is_map(application.value):
        return application
    there = {key: each for key, each in under.items() if each is not None}
    base = Located(application.place, there, {key: each.place for key, each in there.items()})
    return merge(base, application)


def _keys(source: Located) -> Iterable[tuple[str, Located]]:
    return source.value.items() if is_map(source.value) else ()


def _fault(source: Located, error: ErrorDetails) -> Fault:
    """Pydantic's error, where the value was written and in words for whoever writes scenarios."""
    path = [part for part in error["loc"] if part not in _NOT_WRITTEN]
    if error["type"] == "missing":
        within = source.at(path[:-1])
        return Fault(within.inside(path[-1]), "is missing")
    if error["type"] == "union_tag_not_found":
        return Fault(source.at([*path, "programme"]), f"names none of {', '.join(registry.programmes())}")
    if error["type"] == "extra_forbidden":
        return Fault(source.at(path), "unknown key")
    return Fault(source.at(path), _words(error))


_NOT_WRITTEN = ("[key]", "[one]", "[each]", *map(tag_of, registry.families()))
"""Parts of an error's path that name how a value was read."""
_WORDS = {
    "timezone_aware": "needs an offset, for example 2022-10-20T09:00:00-05:00 or 2022-10-20T14:00:00Z",
    "string_type": "is not text; quote it",
    "datetime_type": "is not a timestamp, for example 2022-10-20T09:00:00-05:00, unquoted",
    "date_type": "is not a date, for example 2022-10-20, unquoted",
    "tuple_type": "is not a list",
    "model_type": "is not a map of keys",
    "dict_type": "is not a map of keys",
}


def _words(error: ErrorDetails) -> str:
    if error["type"] == "literal_error" and len(str(error["msg"])) > MAX_LISTED:
        return f"there is no {error['input']!r} here"
    told = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "should be", 1)
    return _WORDS.get(error["type"], told.replace("String should", "should", 1))
