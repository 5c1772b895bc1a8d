"""The side of this checkout. Every import of the project that the comparison needs stands in this one file."""

from datetime import datetime
from typing import Any

from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import deadlines, decide_or_reject, fold
from domain.kernel.events import CaseEvent, PersonalDataErased
from domain.kernel.messages import (
    GOVERNMENTS_MESSAGE,
    Command,
    FileApplication,
    MeetDeadline,
    Rejection,
    Submission,
    TakeMessage,
)
from domain.kernel.programme import Programme, decide_programme, evolve_programme, open_programme
from domain.kernel.rule_set import RuleSet
from tests.equivalence.formerly import as_stored, erased, rules_with
from tests.equivalence.serving import SUMMARY, Json, serve

PROGRAMME = registry.programme("venezuela-air")
FAMILY = PROGRAMME.family


def _command(case_id: str, command: Json) -> Command:
    if "deadline" in command:
        deadline = command["deadline"]
        return MeetDeadline(deadline["name"], datetime.fromisoformat(deadline["due_at"]))
    source, message_id = command["source"], command["message_id"]
    received_at = datetime.fromisoformat(command["received_at"])
    message = FAMILY.read(command["message"])
    if command["files"] and isinstance(message, Submission):
        return FileApplication(case_id, source, message_id, message, received_at)
    return TakeMessage(source, message_id, message, received_at)


class Playing:
    """A case, its programme and the rule sets that can be in force."""

    def __init__(self, new: Json) -> None:
        self._sets = dict(PROGRAMME.sets)
        first = self._sets[new["rules"]]
        for version, changes in new["more_rules"].items():
            self._sets[version] = rules_with(first, version, changes)
        self._first_rules = new["rules"]
        self._programme = Programme()
        self.opened: list[Json] = []
        if new["opened_at"]:
            for event in open_programme(first, new["places"], datetime.fromisoformat(new["opened_at"])):
                self._programme = evolve_programme(self._programme, event)
                self.opened.append(as_stored(event))
        self._case = Case(new["case"])
        self._events: list[CaseEvent] = []

    def take(self, request: Json) -> Json:
        now, around = datetime.fromisoformat(request["now"]), request["world"]
        command = _command(self._case.case_id, request["command"])
        world = FAMILY.world(
            now=now,
            rules=self._rules(),
            programme=self._programme,
            place=around["place"],
            same_person=tuple(around["same_person"]),
            principal_open=around["principal_open"],
            earlier_supporter_cases=around["earlier_supporter_cases"],
            shared_details=tuple(around["shared_details"]),
        )
        decision = decide_or_reject(FAMILY, self._case, command, world)
        self._case = fold(FAMILY, self._case, decision.events)
        self._events.extend(decision.events)
        events = [as_stored(event) for event in decision.events]
        return {"events": events, "answer": decision.reply.answer, "code": decision.reply.code, **self._head(now)}

    def govern(self, request: Json) -> Json:
        message, now = (
            GOVERNMENTS_MESSAGE.validate_python(request["handle_programme"]),
            datetime.fromisoformat(request["now"]),
        )
        try:
            events = decide_programme(self._programme, message, now, self._sets)
        except Rejection as rejection:
            return {"answer": "rejected", "code": rejection.code}
        for event in events:
            self._programme = evolve_programme(self._programme, event)
        state = {"status": self._programme.status, "places": self._programme.places}
        return {"events": [as_stored(event) for event in events], "programme": state, **self._head(now)}

    def restore(self, request: Json) -> Json:
        """Fold again what this side recorded, as far as the request goes, with what it erases."""
        found = request["restore"]
        kept = [
            erased(event) if stored["personal"] is None else event
            for event, stored in zip(self._events, found, strict=False)
        ]
        kept += [
            PersonalDataErased.model_validate({"at": stored["at"], **stored["public"]})
            for stored in found[len(self._events) :]
        ]
        self._events = kept
        self._case = fold(FAMILY, Case(self._case.case_id), kept)
        return self._head(datetime.fromisoformat(request["now"]))

    def _rules(self) -> RuleSet:
        if not self._programme.sets:
            return self._sets[self._first_rules]
        return self._programme.rules_for(self._case.rules_version, self._case.filed_at)

    def _head(self, now: datetime) -> Json:
        case, programme = self._case, self._programme
        if not case.filed:
            return {"summary": None}
        rules = self._rules()
        due = next(iter(deadlines(FAMILY, case, now, rules, programme)), None)
        summary: dict[str, Any] = {
            **{name: getattr(case, name, None) for name in SUMMARY},
            **FAMILY.facts(case, programme, rules),
            "due_name": due.name if due else None,
            "due_at": due.at if due else None,
            "held": FAMILY.on_hold(case),
        }
        boarding = FAMILY.may_travel(case, programme, rules, now) if FAMILY.may_travel else None
        return {"summary": {name: summary[name] for name in SUMMARY}, "boarding": boarding}


if __name__ == "__main__":
    serve(Playing, {})
