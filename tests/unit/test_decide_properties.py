"""Laws that hold whatever is filed, whatever partners answer, and in whatever order anything arrives."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings

from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.crossing import Crossings, IrregularCrossingRecorded
from domain.humanitarian_parole.stages.entry import (
    EntryCheckRequested,
    EntryProofNotRequired,
    EntryRefused,
    EntryVerified,
    EvidenceRequested,
    ProofOfEntry,
)
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted, ApplicationWithdrawn, beneficiary_of
from domain.humanitarian_parole.stages.parole import ParoleEnded, is_paroled
from domain.humanitarian_parole.stages.sponsor import (
    Sponsor,
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorNotConfirmed,
    SponsorWithdrew,
)
from domain.humanitarian_parole.stages.travel import (
    ParoleRefused,
    Travel,
    TravelAuthorizationExtended,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRestored,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
    holds_place,
    waits_for_place,
)
from domain.humanitarian_parole.stages.vetting import SecurityVetting, VettingCleared, VettingDenied, VettingRequested
from domain.kernel.calendar import age_on, day_of, month_of
from domain.kernel.case import Case
from domain.kernel.decider import decide_or_reject, fold
from domain.kernel.events import (
    CaseClosed,
    CaseEvent,
    CaseHeld,
    CaseReopened,
    FactRetracted,
    MessageRejected,
    ReconsiderationRequested,
    ReferralEscalated,
    ReferredToOfficer,
)
from domain.kernel.messages import Command, MeetDeadline, PartnerAnswer
from simulation.format.scenario import Scenario
from tests.support.player import Player, Playing
from tests.support.random_scenarios import scenarios

laws = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

WAIT_IN_A_SUSPENSION = (
    SponsorConfirmed,
    SponsorNotConfirmed,
    SponsorConfirmationRequested,
    EntryProofNotRequired,
    EntryCheckRequested,
    EntryVerified,
    EntryRefused,
    EvidenceRequested,
    VettingRequested,
    VettingCleared,
    VettingDenied,
    ReferredToOfficer,
    Waitlisted,
    TravelAuthorized,
    TravelAuthorizationReleased,
    TravelAuthorizationRestored,
    TravelAuthorizationRevoked,
    CaseReopened,
)
AFTER_CLOSE = (IrregularCrossingRecorded, FactRetracted, ReconsiderationRequested, CaseReopened)
CLOSE_AT_ONCE = (ParoleRefused, ApplicationWithdrawn, ParoleEnded)


class Witness(Player):
    """Plays, and looks at every event as it is recorded and at every command as it is taken."""

    def _record(self, playing: Playing, event: CaseEvent) -> None:
        before, last = playing.case, playing.events[-1:]
        assert not before.closed or isinstance(event, AFTER_CLOSE), f"{type(event).__name__} after CaseClosed"
        if self.programme_of(before).suspended:
            assert not isinstance(event, WAIT_IN_A_SUSPENSION), f"{type(event).__name__} in a suspension"
            if isinstance(event, CaseClosed):
                assert isinstance(last[0], CLOSE_AT_ONCE)
        super()._record(playing, event)
        after = playing.case
        assert after.version == before.version + 1
        assert before.last_at is None or event.at >= before.last_at
        assert after.since is not None
        assert before.since is None or after.since >= before.since
        partners = [request.partner for request in after.requests]
        assert len(partners) == len(set(partners))
        if isinstance(event, TravelAuthorized):
            _assert_qualifies(after, event)

    def _take(self, playing: Playing, command: Command) -> str:
        first = command.command_id not in playing.answered
        answer = super()._take(playing, command)
        if first:
            self._assert_once(playing, command, answer)
        return answer

    def _assert_once(self, playing: Playing, command: Command, answer: str) -> None:
        """The same command decided again, as if nothing had remembered its first answer."""
        again = decide_or_reject(FAMILY, playing.case, command, self._world(playing, command))
        if isinstance(command, MeetDeadline):
            assert again.events == ()
        elif isinstance(command.message, PartnerAnswer | ApplicationSubmitted) and answer == "accepted":
            assert again.reply.answer == "rejected" or _is_news(again.events)


def _is_news(events: tuple[CaseEvent, ...]) -> bool:
    """A partner may say the same again, under another id: an officer is asked again, or the supporter is gone."""
    return any(
        isinstance(event, SponsorWithdrew) or (isinstance(event, ReferredToOfficer | CaseHeld) and event.news)
        for event in events
    )


def _assert_qualifies(case: Case, event: TravelAuthorized) -> None:
    """The facts themselves, read without the rules' help."""
    beneficiary = beneficiary_of(case)
    today = day_of(event.at)
    assert "VEN" in beneficiary.nationalities
    if set(beneficiary.nationalities) - {"VEN"}:
        assert beneficiary.travels_with is not None
        assert beneficiary.travels_with.relationship != "child" or age_on(beneficiary.birth_date, today) < 21
    assert beneficiary.passport.expires_on >= today
    assert case.filed_at is not None
    assert beneficiary.guardian or age_on(beneficiary.birth_date, day_of(case.filed_at)) >= 18
    assert not [crossing for crossing in case.of(Crossings).reported if crossing.country == "PAN"]
    assert case.of(SecurityVetting).findings == ()
    assert case.of(Sponsor).supporter is not None
    assert (case.of(Sponsor).confirmed, case.of(ProofOfEntry).verified, case.of(SecurityVetting).cleared) == (True,) * 3
    assert not case.requests
    assert not case.open_referrals


def _by_class(playing: Playing, kind: type[CaseEvent]) -> int:
    return sum(isinstance(event, kind) for event in playing.events)


@laws
@given(scenarios())
def test_every_case_keeps_the_laws_to_its_end(scenario: Scenario) -> None:
    player = Witness(scenario).play()

    for playing in player.cases.values():
        assert _by_class(playing, CaseClosed) == playing.case.closed + _by_class(playing, CaseReopened)
        assert _by_class(playing, TravelAuthorized) <= 1
        assert _by_class(playing, TravelAuthorizationExtended) <= 1
        assert _by_class(playing, MessageRejected) <= 50
        assert _by_class(playing, ReferralEscalated) <= _by_class(playing, ReferredToOfficer)
        assert _by_class(playing, TravelAuthorizationReleased) <= _by_class(playing, TravelAuthorizationHeld)
        assert playing.case.closed == (playing.case.outcome is not None) == (playing.case.stage == "closed")


@laws
@given(scenarios())
def test_stored_events_fold_to_the_same_state(scenario: Scenario) -> None:
    for playing in Player(scenario).play().cases.values():
        stored = [type(event).model_validate_json(event.model_dump_json()) for event in playing.events]

        assert fold(FAMILY, Case(playing.case.case_id), stored) == playing.case


class Counting(Player):
    """Plays, and counts the places after every event."""

    def _record(self, playing: Playing, event: CaseEvent) -> None:
        super()._record(playing, event)
        programme = self.programme_of(playing.case)
        assert self.places.used(programme.pool, month_of(self.now)) <= programme.places
        for case_id in self.places.taken:
            case = self.by_id[case_id].case
            assert case.of(Travel).authorization is not None
            assert is_paroled(case) or not case.closed
        for name, each in self.cases.items():
            waits = waits_for_place(each.case)
            assert waits == any(entry.case == each.case.case_id for entry in self.places.waiting), name


@laws
@given(scenarios(caps=False))
def test_no_order_of_events_takes_more_places_than_there_are(scenario: Scenario) -> None:
    player = Counting(scenario).play()

    freed_before_parole = [p for p in player.cases.values() if holds_place(p.case) and p.case.closed]
    assert not {p.case.case_id for p in freed_before_parole} & set(player.places.taken)


@laws
@given(scenarios())
def test_an_open_case_waits_for_somebody_or_has_a_limit(scenario: Scenario) -> None:
    """No case is stuck: open, it waits on someone who can move it, or a limit of its own is running."""
    player = Player(scenario).play()

    for playing in player.cases.values():
        case = playing.case
        if case.filed and not case.closed:
            running = player.running(case)
            assert case.waiting_on is not None or running, [type(event).__name__ for event in playing.events]


@laws
@given(scenarios())
def test_delivering_everything_twice_changes_nothing(scenario: Scenario) -> None:
    once = scenario.model_copy(
        update={"timeline": tuple(item.model_copy(update={"deliver": 1}) for item in scenario.timeline)}
    )
    thrice = scenario.model_copy(
        update={"timeline": tuple(item.model_copy(update={"deliver": 3}) for item in scenario.timeline)}
    )

    first, second = Player(once).play(), Player(thrice).play()

    for name, playing in first.cases.items():
        assert playing.events == second.cases[name].events
    assert first.programmes == second.programmes


@laws
@given(scenarios())
def test_what_happens_before_a_moment_does_not_depend_on_what_comes_after(scenario: Scenario) -> None:
    middle = scenario.applications["a"].filed_at + timedelta(days=40)
    whole, half = Player(scenario).play(), Player(scenario.model_copy(update={"until": middle})).play()

    for name, playing in half.cases.items():
        assert playing.events == whole.cases[name].events[: len(playing.events)]
