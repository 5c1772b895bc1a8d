"""Plays a scenario straight over the domain, in memory: no workflow, no database, no clock but the scenario's own.

It is the second reader of scenarios/README.md: what `passage simulate` runs through the real parts must come out the
same here. At one instant: deadlines, filings, partners' answers, timeline, each in file order.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain import registry
from domain.humanitarian_parole.application import Beneficiary
from domain.humanitarian_parole.case import may_travel
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted, Filed
from domain.humanitarian_parole.stages.parole import ParoleGranted, is_paroled
from domain.humanitarian_parole.stages.sponsor import Sponsor, SponsorWithdrew
from domain.humanitarian_parole.stages.travel import (
    TravelAuthorizationRestored,
    TravelAuthorized,
    Waitlisted,
    waits_for_place,
)
from domain.humanitarian_parole.world import World
from domain.kernel.calendar import Deadline, month_of
from domain.kernel.case import Case
from domain.kernel.decider import deadlines, decide_or_reject, evolve, is_to_reopen
from domain.kernel.events import CaseClosed, CaseEvent
from domain.kernel.ids import CaseId, CommandId, case_id_from_entropy
from domain.kernel.messages import (
    Command,
    FileApplication,
    MeetDeadline,
    PlaceOffered,
    ProgrammeChanged,
    Rejection,
    TakeMessage,
)
from domain.kernel.programme import Programme, ProgrammeEvent, decide_programme, evolve_programme, open_programme
from domain.kernel.proof import CLOCK, claimed
from domain.kernel.rule_set import RuleSet
from simulation.format.applications import ScenarioApplication, stand_in
from simulation.format.programmes import places_at_start, programme_of, programmes_of, rules_at_start
from simulation.format.scenario import Scenario, TimelineItem
from simulators.scripts import PARTNERS, SILENT
from tests.support.given import named
from tests.support.people import People
from tests.support.places import Places

RETRY_AFTER = timedelta(minutes=1)
MAX_INSTANTS = 100_000


@dataclass(order=True, frozen=True)
class Moment:
    """When something is to happen. `rank`: 0 deadline, 1 filing, 2 partner, 3 timeline; `place` is the file's order."""

    at: datetime
    rank: int
    place: tuple[int, ...]
    what: Any = field(compare=False)


@dataclass
class Playing:
    """One case as it is played."""

    name: str
    place: int
    application: ScenarioApplication
    case: Case
    events: list[CaseEvent] = field(default_factory=list)
    answered: dict[CommandId, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A call to a partner that is to be made, or (`answers`) its answer that is to come."""

    playing: Playing
    partner: str
    request_id: str
    answers: bool = False


def case_id_of(name: str, prefix: str = "VEN") -> CaseId:
    """The id under which the case of that name is played."""
    return case_id_from_entropy(prefix, hashlib.sha256(name.encode()).digest())


def _prefix(scenario: Scenario, application: ScenarioApplication) -> str:
    name = programme_of(scenario, application)
    assert name is not None
    return registry.programme(name).prefix


class Player:
    """One scenario, played once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.places, self.people = Places(), People()
        self.cases = {
            name: Playing(name, place, application, Case(case_id_of(name, _prefix(scenario, application))))
            for place, (name, application) in enumerate(scenario.applications.items())
        }
        self.stand_ins = {stand_in(name): playing.case.case_id for name, playing in self.cases.items()}
        self.by_id = {playing.case.case_id: playing for playing in self.cases.values()}
        self.agenda = [
            *(Moment(p.application.filed_at, 1, (p.place,), p) for p in self.cases.values()),
            *(Moment(item.at, 3, (index,), item) for index, item in enumerate(scenario.timeline)),
        ]
        self.now = min(moment.at for moment in self.agenda)
        self.programmes: dict[str, Programme] = {}
        self._open_programmes()
        self.answers: list[dict[str, Any]] = []
        self.notifications: deque[tuple[Playing, PlaceOffered | ProgrammeChanged]] = deque()
        self.notified = 0

    def play(self) -> "Player":
        """Play until the scenario's end; what falls on that very moment does not run."""
        for _ in range(MAX_INSTANTS):
            moment = min([*self.agenda, *self._due()], default=None)
            if moment is None or max(moment.at, self.now) >= self.scenario.until:
                return self
            if moment in self.agenda:
                self.agenda.remove(moment)
            self.now = max(moment.at, self.now)
            self._happen(moment)
            self._notify()
        raise AssertionError("the scenario does not come to its end")

    def programme_of(self, case: Case) -> Programme:
        """The programme that a case is filed under, as it stands now."""
        return self.programmes[registry.programme_of(case.case_id).id]

    def rules_of(self, case: Case) -> RuleSet:
        """A case keeps the set in force when it was filed."""
        return self.programme_of(case).rules_for(case.rules_version, case.filed_at)

    def running(self, case: Case) -> tuple[Deadline, ...]:
        """The limits of a case that are running now."""
        family = registry.family_of(case.case_id)
        return deadlines(family, case, self.now, self.rules_of(case), self.programme_of(case))

    def _open_programmes(self) -> None:
        """As `simulation/play/opening.py`: a cap is set by the first that draws on the pool."""
        places = places_at_start(self.scenario)
        for name in programmes_of(self.scenario):
            rules = rules_at_start(self.scenario, name)
            assert rules is not None
            first, *others = (cap.pool for cap in rules.caps)
            of_pools = {pool: places[pool] for pool in others if pool in places}
            self._evolve(name, open_programme(rules, places.pop(first, None), self.now, of_pools))

    def _evolve(self, name: str, events: tuple[ProgrammeEvent, ...]) -> None:
        for event in events:
            self.programmes[name] = evolve_programme(self.programmes.get(name, Programme()), event)
            self.places.changed(self.programmes[name], event)

    def _due(self) -> list[Moment]:
        return [
            Moment(deadline.at, 0, (playing.place, index), (playing, deadline))
            for playing in self.cases.values()
            for index, deadline in enumerate(self.running(playing.case))
        ]

    def _happen(self, moment: Moment) -> None:
        what = moment.what
        if isinstance(what, Playing):
            self._file(what)
        elif isinstance(what, Call):
            self._answer(what) if what.answers else self._call(what)
        elif isinstance(what, TimelineItem):
            self._say(what, moment.place[0])
        else:
            self._meet(*what)

    def _meet(self, playing: Playing, deadline: Deadline) -> None:
        if deadline.name == "month":
            self._allot(self.programme_of(playing.case).programme)
        self._take(playing, MeetDeadline(deadline.name, deadline.at))
        assert deadline not in self.running(playing.case), f"met and still running: {deadline.name}"

    def _file(self, playing: Playing) -> None:
        application, case_id = playing.application, playing.case.case_id
        if application.other_case is not None:
            application = application.naming(self.stand_ins[application.other_case])
        message = registry.family_of(case_id).submission.model_validate({"application": application.content})
        self._take(
            playing,
            FileApplication(case_id, "supporter", f"filing-{playing.name}", message, self.now, claimed("supporter")),
        )

    def _say(self, item: TimelineItem, index: int) -> None:
        for _ in range(item.deliver):
            answer = self._said(item, f"timeline-{index}")
            self._notify()
            told = {"at": item.at, "case": item.case, "message": item.message, "answer": answer}
            self.answers.append({**told, "expected": item.expect_answer})

    def _said(self, item: TimelineItem, message_id: str) -> str:
        if item.case is None:
            return self._govern(item, message_id)
        playing = self.cases[item.case]
        if item.is_question:
            return may_travel(playing.case, self.programme_of(playing.case), self.rules_of(playing.case), self.now)
        says, taken_back = item.says, self.scenario.taken_back(item)
        if taken_back is not None:
            says = says.model_copy(update={"of": f"timeline-{taken_back}"})
        sender = self.scenario.sender_of(item)
        return self._take(playing, TakeMessage(sender, message_id, says, self.now, named(says, sender)))

    def _govern(self, item: TimelineItem, message_id: str) -> str:
        known = self.__dict__.setdefault("_governed", {})
        if message_id not in known:
            name = programme_of(self.scenario, item)
            assert name is not None
            try:
                events = decide_programme(self.programmes[name], item.says, self.now, registry.programme(name).sets)
            except Rejection:
                known[message_id] = "rejected"
            else:
                known[message_id] = "accepted"
                self._change_programme(name, events)
        return str(known[message_id])

    def _change_programme(self, name: str, events: tuple[ProgrammeEvent, ...]) -> None:
        self._evolve(name, events)
        self._allot(name)
        ours = [each for each in self.cases.values() if each.case.programme == name]
        filed = [each for each in ours if each.case.filed and (not each.case.closed or is_to_reopen(each.case))]
        for playing in sorted(filed, key=lambda each: (each.case.filed_at, each.place)):
            self.notifications.append((playing, ProgrammeChanged()))

    def _allot(self, programme: str) -> None:
        for case_id in self.places.allot(programme, month_of(self.now)):
            self.notifications.append((self.by_id[case_id], PlaceOffered()))

    def _notify(self) -> None:
        while self.notifications:
            playing, notification = self.notifications.popleft()
            self.notified += 1
            self._take(playing, TakeMessage("passage", f"notification-{self.notified}", notification, self.now, CLOCK))

    def _take(self, playing: Playing, command: Command) -> str:
        if command.command_id not in playing.answered:
            family = registry.family_of(playing.case.case_id)
            decision = decide_or_reject(family, playing.case, command, self._world(playing, command))
            before = playing.case
            for event in decision.events:
                self._record(playing, event)
            self._pass_over(before, playing.case, decision.events)
            playing.answered[command.command_id] = decision.reply.answer
        return playing.answered[command.command_id]

    def _pass_over(self, before: Case, after: Case, events: tuple[CaseEvent, ...]) -> None:
        """A case that officers look at keeps its turn, and others pass it."""
        change = registry.family_of(after.case_id).places(before, after, events)
        if change is not None and change.change in ("pass-over", "resume"):
            self.places.pass_over(after.case_id, over=change.change == "pass-over")
            self._allot(after.programme)

    def _world(self, playing: Playing, command: Command) -> World:
        """What the family enquires about, and nothing else: a basis keeps all of it."""
        case, people, programme = playing.case, self.people, self.programme_of(playing.case)
        enquiry = registry.family_of(case.case_id).enquire(case, command)
        beneficiary = self._beneficiary(case, command) if enquiry.persons else None
        supporter = case.of(Sponsor).supporter if enquiry.backer else None
        return World(
            now=self.now,
            rules=self.rules_of(case),
            programme=programme,
            place=self.places.place_for(case.case_id, programme.programme, month_of(self.now)),
            same_person=people.same_person(case.case_id, beneficiary) if beneficiary else (),
            principal_open=people.is_open(enquiry.principal),
            earlier_supporter_cases=people.earlier_cases_of(case.case_id, supporter) if supporter else 0,
            shared_details=people.shared_details(case.case_id, supporter) if supporter else (),
        )

    def _beneficiary(self, case: Case, command: Command) -> Beneficiary | None:
        if isinstance(command, FileApplication) and isinstance(command.message, ApplicationSubmitted):
            return case.of(Filed).beneficiary or command.message.application.beneficiary
        return case.of(Filed).beneficiary

    def _record(self, playing: Playing, event: CaseEvent) -> None:
        before, playing.case = playing.case, evolve(registry.family_of(playing.case.case_id), playing.case, event)
        playing.events.append(event)
        self.people.learn(playing.case, event)
        case_id, programme, month = playing.case.case_id, playing.case.programme, month_of(self.now)
        match event:
            case TravelAuthorized() | TravelAuthorizationRestored():
                self.places.take(case_id, programme, month)
            case Waitlisted():
                self.places.join(case_id, programme, event.turn_at or event.at)
            case ParoleGranted():
                self.places.leave(case_id)
            case SponsorWithdrew() if not is_paroled(before) and not waits_for_place(playing.case):
                self.places.leave(case_id)
                self._allot(programme)
            case CaseClosed():
                self.places.leave(case_id)
                if not is_paroled(before):
                    self.places.free(case_id)
                self._allot(programme)
            case _:
                pass  # No other event touches places.
        for request in playing.case.requests:
            if request.request_id == before.next_event_id:
                self._call(Call(playing, request.partner, request.request_id))

    def _call(self, call: Call) -> None:
        """Call the partner, unless the request was answered or became void before a call went through."""
        playing = call.playing
        if all(request.request_id != call.request_id for request in playing.case.requests):
            return
        script = playing.application.partners.of(call.partner) or SILENT
        playing.calls[call.partner] = playing.calls.get(call.partner, 0) + 1
        place = (playing.place, PARTNERS.index(call.partner), len(playing.events))
        if playing.calls[call.partner] <= script.fail:
            self.agenda.append(Moment(self.now + RETRY_AFTER, 2, place, call))
        elif script.says is not None:
            answer = Call(playing, call.partner, call.request_id, answers=True)
            self.agenda.append(Moment(self.now + script.after, 2, place, answer))

    def _answer(self, call: Call) -> None:
        says = (call.playing.application.partners.of(call.partner) or SILENT).says
        message = says.model_copy(update={"request_id": call.request_id})
        self._take(
            call.playing,
            TakeMessage(call.partner, f"answer-{call.request_id}", message, self.now, claimed(call.partner)),
        )
