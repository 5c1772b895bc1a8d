"""An application in a scenario: the keys that every one has, beside what its programme's family is filed with.

What a family is filed with is the `application` of its submission. Where that names another case (`Family.names_case`),
a scenario gives the name that the case has in the file: case ids are drawn at filing.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import AwareDatetime, Discriminator, StringConstraints, Tag, create_model, model_validator

from domain import registry
from domain.kernel.family import Family
from domain.kernel.ids import CaseId, ProgrammeId, case_id_from_entropy
from simulators.scripts import PartnerScripts, Section

CaseName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def stand_in(name: str) -> CaseId:
    """The id that stands for the case of this name until it is filed; no programme has such a prefix."""
    return case_id_from_entropy("N00", hashlib.sha256(name.encode()).digest())


class ScenarioApplication(Section):
    """One filing and the answers its case will get."""

    FAMILY: ClassVar[Family]

    filed_at: AwareDatetime
    programme: ProgrammeId | None = None
    """The scenario's own where it is left out."""
    content: Any
    """What is filed. In the file its fields stand beside the other keys."""
    partners: PartnerScripts = PartnerScripts()

    @model_validator(mode="before")
    @classmethod
    def _gather_content(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        own = {key: each for key, each in given.items() if key in _KEYS}
        content = {key: each for key, each in given.items() if key not in _KEYS}
        return {**own, "content": _replaced(content, cls.FAMILY.names_case, _stand_in_of)}

    @property
    def other_case(self) -> CaseId | None:
        """The stand-in of the other case that it names."""
        found: Any = self.content if self.FAMILY.names_case else None
        for part in self.FAMILY.names_case:
            found = None if found is None else getattr(found, part)
        named: CaseId | None = found
        return named

    def naming(self, other_case: CaseId) -> Self:
        """The same with the id of the other case in the place of its stand-in."""
        content = _replaced(self.content.model_dump(), self.FAMILY.names_case, lambda _: other_case)
        return self.model_copy(update={"content": type(self.content).model_validate(content)})


_KEYS: Final = ScenarioApplication.model_fields.keys() - {"content"}


def _stand_in_of(name: object) -> object:
    return stand_in(name) if isinstance(name, str) else name


def _replaced(content: Mapping[str, Any], path: Sequence[str], change: Callable[[object], object]) -> dict[str, Any]:
    """A copy in which the value at `path`, if it is there, is changed."""
    if not path or not isinstance(content.get(path[0]), Mapping if len(path) > 1 else object):
        return dict(content)
    first, *rest = path
    if first not in content:
        return dict(content)
    return {**content, first: _replaced(content[first], rest, change) if rest else change(content[first])}


def tag_of(family: Family) -> str:
    """What stands for a family in the path of an error; no key of a file is written so."""
    return f"[{family.name}]"


def _read_by(family: Family) -> Any:
    content: Any = family.submission.model_fields["application"].annotation
    name = f"Scenario{family.submission.__name__}"
    says = ScenarioApplication.__doc__
    kind: Any = create_model(name, __base__=ScenarioApplication, __doc__=says, content=(content, ...))
    kind.FAMILY = family
    return kind


APPLICATIONS: Final[Mapping[str, type[ScenarioApplication]]] = {
    each.name: _read_by(each) for each in registry.families()
}
"""By family: how an application to one of its programmes is read."""


def _tag(given: Any) -> str | None:
    """Which family reads it; None where it names no programme that there is."""
    named = given.get("programme") if isinstance(given, Mapping) else getattr(given, "programme", None)
    found = registry.programmes().get(named) if isinstance(named, str) else None
    return None if found is None else tag_of(found.family)


def _any() -> Any:
    tagged: list[Any] = [Annotated[APPLICATIONS[each.name], Tag(tag_of(each))] for each in registry.families()]
    return Annotated[reduce(or_, tagged), Discriminator(_tag)] if len(tagged) > 1 else tagged[0]


if TYPE_CHECKING:
    AnyApplication = ScenarioApplication
else:
    AnyApplication = _any()
