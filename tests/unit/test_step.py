"""Whatever becomes of a case, its Step can be said, and what the workflow shows of it is taken by the server."""

from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio.converter import encode_typed_search_attribute_value

from activities.contracts import FLAGS_MAX, MORE_FLAGS, Step
from domain.kernel.events import CaseEvent, Flag
from eventstore.format.summarize import summarize
from simulation.format.loader import load_scenario
from simulation.format.scenario import Scenario
from simulators.scripts import PartnerScript
from tests.support.player import Player, Playing
from tests.support.random_scenarios import scenarios
from workflows.contracts import FLAGS

SEARCH_ATTRIBUTE_BYTES: Final = 2_048
"""The server's own limit; a task that exceeds it fails and is tried for ever."""
FLAGGED: Final = load_scenario(Path(__file__).parents[1] / "scenarios/more-flags-than-are-shown.yaml")

laws = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class Saying(Player):
    """Plays, and says the Step after every event that leaves a case filed."""

    def _record(self, playing: Playing, event: CaseEvent) -> None:
        super()._record(playing, event)
        case = playing.case
        summary = summarize(case, self.programme_of(case), self.rules_of(case), self.now)
        said = Step(
            version=case.version,
            stage=summary.stage,
            waiting_on=summary.waiting_on,
            since=summary.since,
            closed=summary.closed,
            outcome=summary.outcome,
            reason=summary.reason,
            flags=summary.flags,
            programme=summary.programme,
            rules_version=summary.rules_version,
        )
        assert len(encode_typed_search_attribute_value(FLAGS, list(said.flags)).data) <= SEARCH_ATTRIBUTE_BYTES
        if said.flags != case.flags:
            shown = len(said.flags) - 1
            assert said.flags == (*case.flags[:shown], MORE_FLAGS)
            assert shown >= 29  # 30 of the longest codes still fit


@laws
@given(scenarios())
def test_every_case_has_a_step_to_its_end(scenario: Scenario) -> None:
    Saying(scenario).play()


_LONG_CODES: Final = st.integers(0, 10**6).map(lambda number: f"{number:x>55}")
_FLAGS: Final = st.one_of(
    st.lists(_LONG_CODES, min_size=15, max_size=20, unique=True), st.lists(st.from_type(Flag), max_size=20)
).map(tuple)


@st.composite
def flagged(draw: st.DrawFn) -> Scenario:
    """Each partner refers the case to an officer, who approves it, over as many flags as a message may hold."""
    [(name, application)] = FLAGGED.applications.items()
    scripts: dict[str, PartnerScript] = {}
    for partner, flags in (("sponsor_registry", "flags"), ("entry_records", "fields"), ("vetting", "flags")):
        script: PartnerScript = getattr(application.partners, partner)
        assert script.says is not None
        says = script.says.model_copy(update={flags: draw(_FLAGS)})
        scripts[partner] = script.model_copy(update={"says": says})
    partners = application.partners.model_copy(update=scripts)
    return FLAGGED.model_copy(update={"applications": {name: application.model_copy(update={"partners": partners})}})


@settings(laws, phases=(Phase.reuse, Phase.generate))  # shortening 60 codes takes minutes and tells nothing more
@given(flagged())
def test_a_case_of_any_flags_has_a_step_to_its_end(scenario: Scenario) -> None:
    [playing] = Saying(scenario).play().cases.values()
    assert playing.case.stage == "travel_authorization"


def test_the_scenario_has_more_flags_than_are_shown() -> None:
    [playing] = Saying(FLAGGED).play().cases.values()
    assert len(playing.case.flags) == 60 > FLAGS_MAX
