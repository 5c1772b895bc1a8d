"""The side of the older commit: this file runs against that commit's tree and never changes with the checkout's.

mypy does not read it: what it imports need not be in the checkout any more.
"""

import json
from datetime import datetime
from typing import Any, get_args

from domain.boarding import boarding_answer
from domain.case import Case
from domain.commands import Command, FileApplication, MeetDeadline, TakeMessage
from domain.decide import take
from domain.events import CASE_EVENTS
from domain.evolve import fold
from domain.messages import CASE_MESSAGE, PROGRAMME_MESSAGE, ApplicationSubmitted
from domain.programme import PROGRAMME_EVENTS, Programme, decide_programme, evolve_programme, open_programme
from domain.rejection import Rejection
from domain.rules.rule_set import RuleSet, bundled_rule_book
from domain.vocabulary import DeadlineName, Outcome, Reason, Stage, WaitingOn
from domain.world import World
from eventstore.codec import CODEC
from eventstore.summarize import summarize
from tests.equivalence.serving import SUMMARY, Json, serve

KNOWN = {
    "event": [event.__name__ for event in (*CASE_EVENTS, *PROGRAMME_EVENTS)],
    "stage": list(get_args(Stage)),
    "waiting_on": list(get_args(WaitingOn)),
    "outcome": list(get_args(Outcome)),
    "reason": list(get_args(Reason)),
    "due_name": list(get_args(DeadlineName)),
}
"""Every word that a case can show; the driver counts how many of them its sequences reach."""


def _encoded(event: Any) -> Json:
    public, personal = CODEC.encode(event)
    return {
        "type": type(event).__name__,
        "schema": event.SCHEMA_VERSION,
        "at": event.at.isoformat(),
        "public": json.loads(public),
        "personal": None if personal is None else json.loads(personal),
    }


def _decoded(event: Json) -> Any:
    personal = None if event["personal"] is None else json.dumps(event["personal"]).encode()
    return CODEC.decode(event["type"], event["schema"], event["at"], json.dumps(event["public"]).encode(), personal)


def _command(case_id: str, command: Json) -> Command:
    if "deadline" in command:
        deadline = command["deadline"]
        return MeetDeadline(deadline["name"], datetime.fromisoformat(deadline["due_at"]))
    source, message_id = command["source"], command["message_id"]
    received_at = datetime.fromisoformat(command["received_at"])
    message = CASE_MESSAGE.validate_python(command["message"])
    if command["files"] and isinstance(message, ApplicationSubmitted):
        return FileApplication(case_id, source, message_id, message, received_at)
    return TakeMessage(source, message_id, message, received_at)


class Playing:
    """A case, its programme and the rule sets that can be in force."""

    def __init__(self, new: Json) -> None:
        self._book = dict(bundled_rule_book())
        for version, changes in new["more_rules"].items():
            base = self._book[new["rules"]].model_dump(exclude_unset=True)
            self._book[version] = RuleSet.model_validate({**base, **changes, "version": version})
        self._first_rules = new["rules"]
        self._programme = Programme()
        self.opened: list[Json] = []
        if new["opened_at"]:
            opened_at = datetime.fromisoformat(new["opened_at"])
            for event in open_programme("venezuela-air", self._book[new["rules"]], new["places"], opened_at):
                self._programme = evolve_programme(self._programme, event)
                self.opened.append(_encoded(event))
        self._case = Case(new["case"])

    def take(self, request: Json) -> Json:
        now, around = datetime.fromisoformat(request["now"]), request["world"]
        command = _command(self._case.case_id, request["command"])
        world = World(
            now=now,
            rules=self._rules(),
            programme=self._programme,
            place=around["place"],
            same_person=tuple(around["same_person"]),
            principal_open=around["principal_open"],
            earlier_supporter_cases=around["earlier_supporter_cases"],
            shared_details=tuple(around["shared_details"]),
        )
        decision = take(self._case, command, world)
        self._case = fold(self._case, decision.events)
        events = [_encoded(event) for event in decision.events]
        return {"events": events, "answer": decision.answer.answer, "code": decision.answer.code, **self._head(now)}

    def govern(self, request: Json) -> Json:
        message, now = PROGRAMME_MESSAGE.validate_python(request["govern"]), datetime.fromisoformat(request["now"])
        try:
            events = decide_programme(self._programme, message, now, self._book)
        except Rejection as rejection:
            return {"answer": "rejected", "code": rejection.code}
        for event in events:
            self._programme = evolve_programme(self._programme, event)
        state = {"status": self._programme.status, "places": self._programme.places}
        return {"events": [_encoded(event) for event in events], "programme": state, **self._head(now)}

    def restore(self, request: Json) -> Json:
        self._case = fold(Case(self._case.case_id), [_decoded(event) for event in request["restore"]])
        return self._head(datetime.fromisoformat(request["now"]))

    def _rules(self) -> RuleSet:
        if self._case.filed_at is None:
            return self._book[self._programme.rules_version or self._first_rules]
        return self._book[self._programme.rules_version_for(self._case.rules_version, self._case.filed_at)]

    def _head(self, now: datetime) -> Json:
        if not self._case.filed:
            return {"summary": None}
        rules = self._rules()
        summary = summarize(self._case, self._programme, rules, now)
        boarding = boarding_answer(self._case, self._programme, rules, now)
        return {"summary": {name: getattr(summary, name) for name in SUMMARY}, "boarding": boarding}


if __name__ == "__main__":
    serve(Playing, KNOWN)
