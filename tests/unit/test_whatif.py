"""Other rules: the same ones change nothing, and what others change is found where and why it would have been."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from hypothesis import HealthCheck, given, settings

from audit.whatif.record import ProgrammeStates, Recorded, recorded
from audit.whatif.verdict import Question, Verdict, decide_again
from domain.programme import Programme, ProgrammeEvent, evolve_programme
from domain.rules.rule_set import RuleSet, bundled_rule_book
from eventstore.format.wrapping import unwrap
from simulation.format import Scenario
from tests.support.random_scenarios import scenarios
from tests.support.stored_cases import StoredLog, all_cases, stored

BOOK = bundled_rule_book()


def programme_of(log: StoredLog) -> ProgrammeStates:
    rows, states = log.streams[log.programme], [Programme()]
    for each in unwrap(rows, {}).events:
        states.append(evolve_programme(states[-1], cast("ProgrammeEvent", each.event)))
    return ProgrammeStates(tuple(states), tuple(row.recorded_at for row in rows))


def decisions_of(log: StoredLog, case_id: str) -> tuple[Recorded, ...]:
    rows = log.streams[case_id]
    return recorded(rows, unwrap(rows, log.keys).events)


def opened_in(log: StoredLog, case_id: str, at: datetime) -> bool:
    rows = log.streams.get(case_id, [])
    happened = [row.type for row in rows if row.recorded_at <= at]
    return bool(happened) and "CaseClosed" not in happened


def asked(log: StoredLog, case_id: str, rules: RuleSet, **window: Any) -> Verdict:
    question = Question(rules=rules, book=BOOK, **window)
    principal_open = lambda case, at: opened_in(log, case, at)  # noqa: E731  one line says it
    return decide_again(case_id, decisions_of(log, case_id), question, programme_of(log), principal_open)


def rules_of(log: StoredLog, case_id: str) -> RuleSet:
    digest = log.streams[case_id][0].rules_digest
    return next(rules for rules in BOOK.values() if rules.digest == digest)


def changed(rules: RuleSet, **parameters: Any) -> RuleSet:
    """Those rules with other parameters."""
    return RuleSet.model_validate({**rules.model_dump(exclude_unset=True), "version": "2099-01-01", **parameters})


def everywhere(**parameters: Any) -> Iterator[tuple[str, Verdict]]:
    for name, log, case_id in all_cases():
        yield name, asked(log, case_id, changed(rules_of(log, case_id), **parameters))


def divergences(**parameters: Any) -> dict[str, list[str]]:
    """By scenario: the rules by which its cases diverge."""
    found: dict[str, list[str]] = {}
    for name, verdict in everywhere(**parameters):
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scenarios())
def test_the_same_rules_change_nothing_whatever_happened(scenario: Scenario) -> None:
    log = stored(scenario)
    for case_id in log.cases:
        verdict = asked(log, case_id, changed(rules_of(log, case_id)))
        assert (verdict.divergence, verdict.not_reproduced) == (None, 0)


def test_an_earlier_cutoff_makes_entries_too_late_that_were_in_time() -> None:
    found = divergences(mexico_entry_before="2022-01-01")
    assert len(found) >= 20
    assert {rule for rules in found.values() for rule in rules} == {"mexico-entry"}


def test_a_later_cutoff_takes_in_who_was_too_late() -> None:
    name = "entry-matched-too-late"
    told = [verdict for scenario, verdict in everywhere(mexico_entry_before="2030-01-01") if scenario == name]
    found = [verdict.divergence for verdict in told if verdict.divergence]
    assert ("closed: ineligible (mexico-entry)", "VettingRequested") in [(each.was, each.would_be) for each in found]


def test_each_parameter_is_named_by_the_rule_or_the_limit_that_it_moves() -> None:
    moved: dict[str, tuple[Any, str]] = {
        "passport_extra_years": (0, "passport-validity"),
        "supporter_review_from_case": (1, "supporter"),
        "adult_age_years": (60, "minor-guardian"),
        "removal_order_years": (60, "removal-order"),
        "irregular_entry_after": ("2000-01-01", "irregular-entry"),
        "child_age_years": (3, "sole-nationality"),
        "authorization_days": (30, "TravelAuthorized.last_day"),
        "parole_days": (365, "ParoleGranted.last_day"),
        "evidence_limit_days": (1, "limit:evidence"),
        "supporter_limit_days": (1, "limit:supporter"),
        "referral_limit_days": (0, "limit:referral"),
        "parole_notice_days": (200, "limit:parole-notice"),
        "extension_days": (10, "TravelAuthorizationExtended.last_day"),
    }
    for parameter, (value, rule) in moved.items():
        found = {each for rules in divergences(**{parameter: value}).values() for each in rules}
        assert rule in found, (parameter, found)


def test_a_longer_limit_has_not_ended_yet() -> None:
    found = divergences(evidence_limit_days=300)
    assert {rule for rules in found.values() for rule in rules} == {"limit:evidence"}


def test_a_case_stops_at_its_first_divergence_and_a_window_asks_about_no_other_decision() -> None:
    name, log, case_id = next(each for each in all_cases() if each[0].startswith("01-"))
    other = changed(rules_of(log, case_id), authorization_days=30, parole_days=365)
    whole = asked(log, case_id, other)
    assert whole.divergence is not None
    assert whole.divergence.rule == "TravelAuthorized.last_day"
    later = asked(log, case_id, other, since=whole.divergence.decided_at.replace(year=2022, month=12, day=31))
    assert later.divergence is None or later.divergence.rule == "ParoleGranted.last_day"
    nothing = asked(log, case_id, other, until=log.streams[case_id][0].happened_at)
    assert (nothing.divergence, nothing.decided_again) == (None, 0), name
    assert whole.decided_again < asked(log, case_id, rules_of(log, case_id)).decided_again


def test_under_rules_of_the_time_that_are_not_at_hand_nothing_is_made_up() -> None:
    _, log, case_id = next(all_cases())
    question = Question(rules=changed(rules_of(log, case_id), supporter_review_from_case=1), book={})
    verdict = decide_again(case_id, decisions_of(log, case_id), question, programme_of(log), lambda _, __: False)
    assert (verdict.divergence, verdict.decided_again) == (None, 0)
    assert verdict.not_reproduced == len(decisions_of(log, case_id))
