"""What was filed: the beneficiary, their passport, their entries and documents, and the supporter."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from domain.kernel.ids import CaseId

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 3166-1 alpha-3."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ShortText = Annotated[str, StringConstraints(max_length=200)]
DocumentNumber = Annotated[str, StringConstraints(min_length=1, max_length=64)]

Manner = Literal["regular", "irregular"]


class Filed(BaseModel):
    """Base of everything filed: frozen, nothing unknown, and errors that never repeat the input (decision 8)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PassportExtension(Filed):
    """An extension stamped into a Venezuelan passport."""

    issued_on: date
    expires_on: date


class Passport(Filed):
    """A passport as printed; how long it counts is a rule (`stages/filing.py`)."""

    number: DocumentNumber
    issuing_country: Country
    issued_on: date
    expires_on: date
    extension: PassportExtension | None = None


class Guardian(Filed):
    """Who answers for a minor, and what proves it."""

    relationship: Literal["parent", "legal_guardian", "relative"]
    evidence: Literal["birth_certificate", "court_order", "power_of_attorney"]


class TravelsWith(Filed):
    """The principal whose case this beneficiary travels with."""

    case: CaseId
    relationship: Literal["spouse", "partner", "child"]


class Beneficiary(Filed):
    """The person who asks to travel."""

    given_names: Name
    surnames: Name
    birth_date: date
    nationalities: Annotated[tuple[Country, ...], Field(max_length=20)]
    permanent_resident_of: Annotated[tuple[Country, ...], Field(max_length=20)] = ()
    refugee_in: Annotated[tuple[Country, ...], Field(max_length=20)] = ()
    passport: Passport
    located_in: Country
    guardian: Guardian | None = None
    travels_with: TravelsWith | None = None


class PersonReference(Filed):
    """As much of a beneficiary as tells them from others, for a partner that is not asked about them."""

    given_names: Name
    surnames: Name
    birth_date: date
    passport_number: DocumentNumber

    @classmethod
    def of(cls, beneficiary: Beneficiary) -> Self:
        """The reference to `beneficiary`."""
        return cls(
            given_names=beneficiary.given_names,
            surnames=beneficiary.surnames,
            birth_date=beneficiary.birth_date,
            passport_number=beneficiary.passport.number,
        )


class Entry(Filed):
    """A border crossing that the applicant declares; `entered_at` keeps the offset it was written with."""

    country: Country
    entered_at: AwareDatetime
    place: ShortText
    manner: Manner


class Document(Filed):
    """A document that was attached; when it was issued is not when its holder entered."""

    kind: Literal["passport_stamp", "fmm", "fmmd", "tvrh", "other"]
    number: DocumentNumber
    entered_on: date | None = None
    issued_on: date | None = None
    place: ShortText | None = None


class Supporter(Filed):
    """The signing individual in the United States, with the organisation behind them if there is one."""

    given_names: Name
    surnames: Name
    birth_date: date
    tax_id: ShortText
    status: Literal["citizen", "permanent_resident", "asylee", "refugee", "parolee", "tps", "other"]
    organisation: ShortText | None = None
    household_size: Annotated[int, Field(ge=1, le=100)]
    annual_income_usd: Annotated[int, Field(ge=0, le=10**12)]
    address: ShortText
    phone: ShortText
    email: ShortText


class Application(Filed):
    """One filing: one beneficiary, one supporter."""

    beneficiary: Beneficiary
    entries: Annotated[tuple[Entry, ...], Field(max_length=100)] = ()
    documents: Annotated[tuple[Document, ...], Field(max_length=100)] = ()
    supporter: Supporter


ERASED_DATE = date(1, 1, 1)

ERASED_PASSPORT = Passport(number="erased", issuing_country="XXX", issued_on=ERASED_DATE, expires_on=ERASED_DATE)

ERASED_SUPPORTER = Supporter(
    given_names="erased",
    surnames="erased",
    birth_date=ERASED_DATE,
    tax_id="",
    status="other",
    household_size=1,
    annual_income_usd=0,
    address="",
    phone="",
    email="",
)

ERASED_APPLICATION = Application(
    beneficiary=Beneficiary(
        given_names="erased",
        surnames="erased",
        birth_date=ERASED_DATE,
        nationalities=(),
        passport=ERASED_PASSPORT,
        located_in="XXX",
    ),
    supporter=ERASED_SUPPORTER,
)
