"""Other rules: the same ones change nothing, and what others change is found where and why it would have been."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.programmes import ProgrammeHistory, history_of
from audit.whatif.record import Recorded, command_of, recorded, world_of
from audit.whatif.verdict import Question, Verdict, decide_again
from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import decide_or_reject, fold
from domain.kernel.events import MessageRejected
from domain.kernel.family import Family
from domain.kernel.messages import Command
from domain.kernel.rule_set import RuleSet
from eventstore.format.wrapping import unwrap
from simulation.format.scenario import Scenario
from tests.support.other_rules import changed
from tests.support.random_scenarios import scenarios
from tests.support.stored_cases import StoredLog, all_cases, stored

ANY_SCENARIO = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def programme_of(log: StoredLog) -> ProgrammeHistory:
    return history_of(each.event for each in unwrap(log.streams[log.programme], {}).events)


def decisions_of(log: StoredLog, case_id: str) -> tuple[Recorded, ...]:
    rows = log.streams[case_id]
    return recorded(rows, unwrap(rows, log.keys).events)


def asked(log: StoredLog, case_id: str, rules: RuleSet, **window: Any) -> Verdict:
    question = Question(rules=rules, **window)
    return decide_again(case_id, decisions_of(log, case_id), question, programme_of(log))


def rules_of(log: StoredLog, case_id: str) -> RuleSet:
    digest = log.streams[case_id][0].rules_digest
    assert digest is not None
    return programme_of(log).sets[digest]


def everywhere(**numbers: Any) -> Iterator[tuple[str, Verdict]]:
    for name, log, case_id in all_cases():
        yield name, asked(log, case_id, changed(rules_of(log, case_id), **numbers))


def divergences(**numbers: Any) -> dict[str, list[str]]:
    """By scenario: the rules by which its cases diverge."""
    found: dict[str, list[str]] = {}
    for name, verdict in everywhere(**numbers):
        if verdict.divergence is not None:
            found.setdefault(name, []).append(verdict.divergence.rule)
    return found


def test_the_same_rules_change_nothing_in_any_scenario_and_every_decision_is_made_again() -> None:
    done = 0
    for name, log, case_id in all_cases():
        verdict = asked(log, case_id, changed(rules_of(log, case_id)))
        assert (verdict.divergence, verdict.not_reproduced) == (None, 0), (name, verdict)
        done += verdict.decided_again
    assert done > 500


@ANY_SCENARIO
@given(scenarios())
def test_the_same_rules_change_nothing_whatever_happened(scenario: Scenario) -> None:
    log = stored(scenario)
    for case_id in log.cases:
        verdict = asked(log, case_id, changed(rules_of(log, case_id)))
        assert (verdict.divergence, verdict.not_reproduced) == (None, 0)


@ANY_SCENARIO
@given(scenarios(), st.integers(0, 100))
def test_every_decision_is_made_again_from_its_basis_to_the_last_letter(scenario: Scenario, hours: int) -> None:
    """As it was recorded, and as it would have been some hours later, when a worker had been away."""
    log = stored(scenario)
    for case_id in log.cases:
        family, programme, case = registry.family_of(case_id), programme_of(log), Case(case_id)
        for decision in decisions_of(log, case_id):
            if decision.basis is None:
                assert [type(event) for event in decision.events] == [MessageRejected]
            else:
                command, world = from_the_record(family, programme, case, decision)
                assert command.command_id == decision.command_id
                assert decide_or_reject(family, case, command, world).events == decision.events
                late = replace(world, now=world.now + timedelta(hours=hours))
                later = replace(decision, events=decide_or_reject(family, case, command, late).events)
                if later.basis is not None:
                    again = from_the_record(family, programme, case, later)
                    assert decide_or_reject(family, case, *again).events == later.events
            case = fold(family, case, decision.events)


def from_the_record(
    family: Family, programme: ProgrammeHistory, before: Case, decision: Recorded
) -> tuple[Command, Any]:
    """The command and the world of a decision, by its basis and its events alone."""
    basis = decision.basis
    assert basis is not None
    world = world_of(family, basis, programme, programme.sets[basis.rules_digest])
    return command_of(family, before, decision, basis), world


def test_an_earlier_cutoff_makes_entries_too_late_that_were_in_time() -> None:
    found = divergences(before="2022-01-01")
    assert len(found) >= 20
    assert {rule for rules in found.values() for rule in rules} == {"mexico-entry"}


def test_a_later_cutoff_takes_in_who_was_too_late() -> None:
    name = "entry-matched-too-late"
    told = [verdict for scenario, verdict in everywhere(before="2030-01-01") if scenario == name]
    found = [verdict.divergence for verdict in told if verdict.divergence]
    assert ("closed: ineligible (mexico-entry)", "VettingRequested") in [(each.was, each.would_be) for each in found]


def test_each_parameter_is_named_by_the_rule_or_the_limit_that_it_moves() -> None:
    moved: dict[str, tuple[Any, str]] = {
        "extra_years": (0, "passport-validity"),
        "review_from_case": (1, "supporter"),
        "adult_age_years": (60, "minor-guardian"),
        "years": (60, "removal-order"),
        "after": ("2000-01-01", "irregular-entry"),
        "child_age_years": (3, "sole-nationality"),
        "authorization": (30, "TravelAuthorized.last_day"),
        "parole": (365, "ParoleGranted.last_day"),
        "evidence": (1, "limit:evidence"),
        "supporter": (1, "limit:supporter"),
        "referral": (0, "limit:referral"),
        "parole_notice": (200, "limit:parole-notice"),
        "extension": (10, "TravelAuthorizationExtended.last_day"),
    }
    for parameter, (value, rule) in moved.items():
        found = {each for rules in divergences(**{parameter: value}).values() for each in rules}
        assert rule in found, (parameter, found)


def test_a_longer_limit_has_not_ended_yet() -> None:
    found = divergences(evidence=300)
    assert {rule for rules in found.values() for rule in rules} == {"limit:evidence"}


def test_a_case_stops_at_its_first_divergence_and_a_window_asks_about_no_other_decision() -> None:
    name, log, case_id = next(each for each in all_cases() if each[0].startswith("01-"))
    other = changed(rules_of(log, case_id), authorization=30, parole=365)
    whole = asked(log, case_id, other)
    assert whole.divergence is not None
    assert whole.divergence.rule == "TravelAuthorized.last_day"
    later = asked(log, case_id, other, since=whole.divergence.decided_at.replace(year=2022, month=12, day=31))
    assert later.divergence is None or later.divergence.rule == "ParoleGranted.last_day"
    nothing = asked(log, case_id, other, until=log.streams[case_id][0].happened_at)
    assert (nothing.divergence, nothing.decided_again) == (None, 0), name
    assert whole.decided_again < asked(log, case_id, rules_of(log, case_id)).decided_again


def test_where_the_record_lacks_a_rule_set_nothing_is_made_up() -> None:
    _, log, case_id = next(all_cases())
    decisions, other = decisions_of(log, case_id), changed(rules_of(log, case_id), review_from_case=1)
    verdict = decide_again(case_id, decisions, Question(rules=other), history_of(()))
    assert (verdict.divergence, verdict.decided_again) == (None, 0)
    assert verdict.not_reproduced == sum(decision.basis is not None for decision in decisions) > 0


@pytest.mark.parametrize("family", registry.families(), ids=lambda family: family.name)
def test_every_message_with_content_can_be_made_again(family: Any) -> None:
    for each in (*family.messages.values(), *family.answers.values()):
        content = each.kind.model_fields.keys() - {"message", "request_id"}
        assert (each.said is not None) == bool(content), each.name
