"""May this person board? A question that is always answered and never recorded in the case."""

from datetime import datetime
from typing import Literal

from domain.case import Case
from domain.limits import authorized_until
from domain.programme import Programme
from domain.rules.rule_set import RuleSet

BoardingAnswer = Literal["ok", "expired", "held", "revoked", "none"]


def boarding_answer(case: Case, programme: Programme, rules: RuleSet, now: datetime) -> BoardingAnswer:
    """The first that holds, in the order of scenarios/README.md.

    A terminated programme authorizes nobody any more, even before each case has noticed.
    """
    if case.parole or case.outcome == "refused_at_port":
        return "none"
    until = authorized_until(case, programme, rules)
    if until is not None and now >= until:
        return "expired"
    if case.authorization and (case.closed or programme.terminated):
        return "revoked"
    if case.closed or not case.authorization:
        return "none"
    if programme.suspended or case.travel_held or case.held:
        return "held"
    return "ok"
