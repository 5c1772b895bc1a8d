"""What is agreed with each partner, as data: how fast it may be called, and when its answer is overdue."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain import registry
from domain.kernel.ids import Code

_Wait = Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=730))]
"""Shorter would ask a partner that is at work; longer than parole lasts would never ask."""


class Agreement(BaseModel):
    """One partner's part of `agreements.toml`, which says what each number means and why it is so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls_per_s: Annotated[float, Field(gt=0, le=1000)]
    answers_within: _Wait
    ask_again_after: _Wait


Agreements = Mapping[Code, Agreement]
"""One for each partner."""

_UNTIL_AGREED: Final = Agreement(calls_per_s=1, answers_within=timedelta(days=10), ask_again_after=timedelta(days=1))
"""For a partner of a family from elsewhere, where no file is named: slow enough for anybody."""

_FILE: Final = TypeAdapter(dict[Code, Agreement])


class AgreementsUnreadable(Exception):
    """The file is not there, no TOML, or not an agreement with each partner. One line that says which."""


def read_agreements(path: Path | None = None) -> Agreements:
    """The agreements in `path`; without one those that come with the program, and a slow pace for anybody else.

    Raises:
        AgreementsUnreadable: see there.
    """
    source = resources.files("activities.partners") / "agreements.toml" if path is None else path
    try:
        found = _FILE.validate_python(tomllib.loads(source.read_text()))
    except OSError as error:
        raise AgreementsUnreadable(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise AgreementsUnreadable(f"{path}: not TOML") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise AgreementsUnreadable(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    strange = [partner for partner in found if partner not in registry.partners()]
    if strange:
        raise AgreementsUnreadable(f"{path}: there is no partner {', '.join(strange)}")
    missing = [partner for partner in registry.partners() if partner not in found]
    if path is None:
        return {**found, **dict.fromkeys(missing, _UNTIL_AGREED)}
    if missing:
        raise AgreementsUnreadable(f"{path}: nothing is agreed with {', '.join(missing)}")
    return found
