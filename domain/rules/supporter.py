"""The rule on supporters: a confirmed one is compared with all cases filed before (flag for people, decision 12)."""

from domain.case import Case
from domain.events import RuleResult
from domain.ids import EventId
from domain.world import World


def _facts(case: Case) -> tuple[EventId, ...]:
    return () if case.supporter_fact is None else (case.supporter_fact,)


def supporter_flags(world: World) -> tuple[str, ...]:
    """Codes for what an officer should look at; none when nothing stands out."""
    many = world.earlier_supporter_cases + 1 >= world.rules.supporter_review_from_case
    shared = tuple(f"shared-{detail.replace('_', '-')}" for detail in world.shared_details)
    return (*(("many-cases",) if many else ()), *shared)


def supporter(case: Case, world: World) -> RuleResult:
    """The registry confirms, and nothing calls for an officer."""
    flags = supporter_flags(world)
    return RuleResult(
        rule="supporter",
        result="referred" if flags else "passed",
        because=flags[0] if flags else "registry-confirmed",
        facts=_facts(case),
    )


def supporter_by_officer(case: Case) -> RuleResult:
    """An officer approved the supporter."""
    return RuleResult(rule="supporter", result="passed", because="officer-approved", facts=_facts(case))
