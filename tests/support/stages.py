"""Cases brought by commands to where a test begins. Each is a `Given`; moments are days after the filing.

Day 0 filed, 3 supporter confirmed, 4 entry verified (in Mexico), 8 vetted and authorized: 28 October 2022, so that the
last day is 26 January 2023. Day 31 paroled: 20 November 2022, last day 19 November 2024.
"""

from typing import Any

from domain.humanitarian_parole.application import Application
from domain.humanitarian_parole.stages.entry import EntryNotFoundAnswer
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.parole import ArrivalParoled
from domain.humanitarian_parole.stages.passport import PassportChange
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer, SponsorReplacement, SponsorWithdrewNotice
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer, VettingHitAnswer
from tests.support.filed import a_passport, another_supporter, day, in_mexico
from tests.support.given import Given, filing, given, told


def asked_about_supporter(application: Application | None = None, **changes: Any) -> Given:
    """Filed and admitted; the registry is being asked."""
    return given().and_then(filing(application), **changes)


def asked_about_entry(application: Application | None = None) -> Given:
    """In Mexico, the supporter confirmed; Mexican records are being asked."""
    return asked_about_supporter(application or in_mexico()).and_then(told(SponsorConfirmedAnswer(), day(3)))


def asked_for_evidence() -> Given:
    """In Mexico without a document: the records know nothing. The limit ends on day 34."""
    return asked_about_entry().and_then(told(EntryNotFoundAnswer(), day(4)))


def asked_for_vetting(application: Application | None = None) -> Given:
    """In Colombia, the supporter confirmed; vetting is being asked."""
    return asked_about_supporter(application).and_then(told(SponsorConfirmedAnswer(), day(3)))


def waitlisted() -> Given:
    """Ready on day 8, and no place."""
    return asked_for_vetting().and_then(told(VettingClearedAnswer(), day(8)), place="none")


def authorized() -> Given:
    """Authorized on day 8: the last day is 26 January 2023."""
    return asked_for_vetting().and_then(told(VettingClearedAnswer(), day(8)))


def referred_for_vetting() -> Given:
    """A hit on day 8: an officer has until day 23."""
    return asked_for_vetting().and_then(told(VettingHitAnswer(kind="name-match"), day(8)))


def held_for_supporter() -> Given:
    """Authorized; the supporter withdrew on day 10."""
    return authorized().and_then(told(SponsorWithdrewNotice(), day(10)))


def held_for_passport() -> Given:
    """Authorized; the passport changed on day 10 and is being vetted."""
    return authorized().and_then(told(a_changed_passport(), day(10)))


def paroled() -> Given:
    """Paroled on day 31, 20 November 2022: the last day is 19 November 2024."""
    return authorized().and_then(told(ArrivalParoled(port="MIA"), day(31)))


def closed() -> Given:
    """Withdrawn on day 5."""
    return asked_for_vetting().and_then(told(WithdrawalRequest(), day(5)))


def a_changed_passport(**changes: Any) -> PassportChange:
    """Another passport, valid for years."""
    return PassportChange(passport=a_passport(number="170000001", **changes))


def a_replacement() -> SponsorReplacement:
    """Another supporter."""
    return SponsorReplacement(supporter=another_supporter())
