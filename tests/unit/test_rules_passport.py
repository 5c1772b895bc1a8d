"""How long a passport counts, at both sides of every edge."""

from datetime import UTC, date, datetime

import pytest

from domain.humanitarian_parole.application import Passport
from domain.humanitarian_parole.stages.beneficiary import PassportValidity, counts_until, passport_validity
from tests.support.filed import a_beneficiary, a_passport, an_application, an_extension
from tests.support.given import RULES, a_world, filing, given

REFORM = date(2019, 6, 7)
EVE = date(2019, 6, 6)
PRINTED = date(2020, 3, 1)
VALIDITY = RULES.of("passport-validity", PassportValidity)


@pytest.mark.parametrize(
    ("passport", "until"),
    [
        (a_passport(issued_on=EVE, expires_on=PRINTED), date(2025, 3, 1)),
        (a_passport(issued_on=REFORM, expires_on=PRINTED), PRINTED),
        (a_passport(issued_on=EVE, expires_on=PRINTED, issuing_country="ESP"), PRINTED),
        (a_passport(issued_on=EVE, expires_on=date(2020, 2, 29)), date(2025, 2, 28)),
        (
            a_passport(issued_on=EVE, expires_on=PRINTED, extension=an_extension(EVE, date(2021, 1, 1))),
            date(2026, 1, 1),
        ),
        (
            a_passport(issued_on=EVE, expires_on=PRINTED, extension=an_extension(REFORM, date(2021, 1, 1))),
            date(2021, 1, 1),
        ),
        (
            a_passport(issued_on=REFORM, expires_on=PRINTED, extension=an_extension(REFORM, date(2021, 1, 1))),
            date(2021, 1, 1),
        ),
    ],
    ids=[
        "issued before the reform",
        "issued on the day of the reform",
        "another country's",
        "expires on a 29 February",
        "extended before the reform",
        "extended on the day of the reform",
        "issued and extended after it",
    ],
)
def test_a_venezuelan_passport_counts_longer_than_printed_if_issued_before_the_reform(
    passport: Passport, until: date
) -> None:
    assert counts_until(passport, VALIDITY) == until


@pytest.mark.parametrize(
    ("now", "result"),
    [
        (datetime(2022, 10, 28, 14, tzinfo=UTC), "passed"),
        (datetime(2022, 10, 29, 3, 59, 59, tzinfo=UTC), "passed"),
        (datetime(2022, 10, 29, 4, tzinfo=UTC), "failed"),
    ],
    ids=["on its last day", "in its last second in New York", "on the day after"],
)
def test_the_last_day_is_included(now: datetime, result: str) -> None:
    beneficiary = a_beneficiary(passport=a_passport(expires_on=date(2022, 10, 28)))
    filed = given().and_then(filing(an_application(beneficiary)))

    assert passport_validity(filed.case, a_world(now)).result == result


def test_a_date_at_the_end_of_the_calendar_is_a_date_like_any_other() -> None:
    forever = a_passport(issued_on=EVE, expires_on=date.max)

    assert counts_until(forever, VALIDITY) == date.max
