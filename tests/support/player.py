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
from domain.humanitarian_parole.stages.parole import is_paroled
from domain.humanitarian_parole.stages.sponsor import Sponsor, SponsorWithdrew
from domain.humanitarian_parole.stages.travel import TravelAuthorized, Waitlisted
from domain.humanitarian_parole.world import World
from domain.kernel.calendar import Deadline, month_of
from domain.kernel.case import Case
from domain.kernel.decider import deadlines, decide_or_reject, evolve
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
from domain.kernel.programme import Programme, decide_programme, evolve_programme, open_programme
from domain.kernel.proof import CLOCK, claimed
from domain.kernel.rule_set import RuleSet
from simulation.format.scenario import Scenario, ScenarioApplication, TimelineItem
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


class Player:
    """One scenario, played once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.definition = registry.programme(scenario.programme)
        self.family, self.book = self.definition.family, self.definition.sets
        self.places, self.people = Places(), People()
        self.cases = {
            name: Playing(name, place, application, Case(self._id_of(name)))
            for place, (name, application) in enumerate(scenario.applications.items())
        }
        self.by_id = {playing.case.case_id: playing for playing in self.cases.values()}
        self.agenda = [
            *(Moment(p.application.filed_at, 1, (p.place,), p) for p in self.cases.values()),
            *(Moment(item.at, 3, (index,), item) for index, item in enumerate(scenario.timeline)),
        ]
        self.now = min(moment.at for moment in self.agenda)
        opened = open_programme(self.book[scenario.rules], scenario.places, self.now)
        self.programme = Programme()
        for event in opened:
            self.programme = evolve_programme(self.programme, event)
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

    def rules_of(self, case: Case) -> RuleSet:
        """A case keeps the set in force when it was filed."""
        return self.programme.rules_for(case.rules_version, case.filed_at)

    def running(self, case: Case) -> tuple[Deadline, ...]:
        """The limits of a case that are running now."""
        return deadlines(self.family, case, self.now, self.rules_of(case), self.programme)

    def _id_of(self, name: str) -> CaseId:
        return case_id_of(name, self.definition.prefix)

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
            self._allot()
        self._take(playing, MeetDeadline(deadline.name, deadline.at))
        assert deadline not in self.running(playing.case), f"met and still running: {deadline.name}"

    def _file(self, playing: Playing) -> None:
        principal = playing.application.principal
        filed = playing.application.filed(None if principal is None else self._id_of(principal))
        message = ApplicationSubmitted(application=filed)
        case_id = playing.case.case_id
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
            return may_travel(playing.case, self.programme, self.rules_of(playing.case), self.now)
        return self._take(playing, TakeMessage(item.says.SENDERS[0], message_id, item.says, self.now, named(item.says)))

    def _govern(self, item: TimelineItem, message_id: str) -> str:
        known = self.__dict__.setdefault("_governed", {})
        if message_id not in known:
            try:
                events = decide_programme(self.programme, item.says, self.now, self.book)
            except Rejection:
                known[message_id] = "rejected"
            else:
                known[message_id] = "accepted"
                self._change_programme(events)
        return str(known[message_id])

    def _change_programme(self, events: tuple[Any, ...]) -> None:
        for event in events:
            self.programme = evolve_programme(self.programme, event)
        self._allot()
        filed = [playing for playing in self.cases.values() if playing.case.filed and not playing.case.closed]
        for playing in sorted(filed, key=lambda each: (each.case.filed_at, each.place)):
            self.notifications.append((playing, ProgrammeChanged()))

    def _allot(self) -> None:
        for case_id in self.places.allot(self.programme, month_of(self.now)):
            self.notifications.append((self.by_id[case_id], PlaceOffered()))

    def _notify(self) -> None:
        while self.notifications:
            playing, notification = self.notifications.popleft()
            self.notified += 1
            self._take(playing, TakeMessage("passage", f"notification-{self.notified}", notification, self.now, CLOCK))

    def _take(self, playing: Playing, command: Command) -> str:
        if command.command_id not in playing.answered:
            decision = decide_or_reject(self.family, playing.case, command, self._world(playing, command))
            for event in decision.events:
                self._record(playing, event)
            playing.answered[command.command_id] = decision.reply.answer
        return playing.answered[command.command_id]

    def _world(self, playing: Playing, command: Command) -> World:
        """What the family enquires about, and nothing else: a basis keeps all of it."""
        case, people = playing.case, self.people
        enquiry = self.family.enquire(case, command)
        beneficiary = self._beneficiary(case, command) if enquiry.persons else None
        supporter = case.of(Sponsor).supporter if enquiry.backer else None
        return World(
            now=self.now,
            rules=self.rules_of(case),
            programme=self.programme,
            place=self.places.place_for(case.case_id, self.programme, month_of(self.now)),
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
        before, playing.case = playing.case, evolve(self.family, playing.case, event)
        playing.events.append(event)
        self.people.learn(playing.case, event)
        case_id, month = playing.case.case_id, month_of(self.now)
        match event:
            case TravelAuthorized():
                self.places.take(case_id, self.programme, month)
            case Waitlisted():
                self.places.join(case_id, event.at)
            case SponsorWithdrew() if not is_paroled(before):
                self.places.leave(case_id)
                self._allot()
            case CaseClosed():
                self.places.leave(case_id)
                if not is_paroled(before):
                    self.places.free(case_id)
                self._allot()
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
