"""One random sequence: it asks, hears what the older side answered, and goes on from there.

Everything is drawn from the seed and from the answers of the older side, so the same seed gives the same sequence.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.equivalence import messages as m
from tests.equivalence.people import CASE, OTHERS, Json, likely, pick

VERSIONS = ("2022-10-12", "2022-10-19", "2023-01-06")
MORE_RULES: dict[str, Json] = {
    "2023-03-01": {"applies_to_running": True, "authorization_days": 60, "irregular_entry_after": "2022-11-15"},
    "2023-04-01": {"applies_to_running": True, "cap_period": "month", "child_age_years": 18, "referral_limit_days": 3},
}
"""Sets made from the first one of the case, which running cases follow too."""

USUAL_START = datetime.fromisoformat("2022-10-20T14:00:00+00:00")
"""Many sequences file at this moment, so that people of a given age and papers of a given day meet a limit exactly."""

FLOOD = 55
"""More refusals than a case records."""


class Story:
    """A sequence of requests for one slot of the servers."""

    def __init__(self, seed: int, index: int, slot: int) -> None:
        self.index = index
        self.requests: list[Json] = []
        self._random = Random(f"{seed}:{index}")  # noqa: S311  # repeatable, not secret
        self.slot = slot
        self._now = USUAL_START
        if likely(self._random, 0.6):
            self._now += timedelta(minutes=self._random.randrange(-60 * 24 * 7, 60 * 24 * 120))
        self._left = self._random.choice([12, 25, 40, 60])
        self._flood = self._random.randrange(8, 20) if likely(self._random, 0.004) else None
        self._events: list[Json] = []
        self._summary: Json = {}
        self._suspended = False
        self._open_requests: dict[str, str] = {}
        self._met: list[Json] = []
        self._ready: list[Callable[[], Json]] = []
        self._opened = not likely(self._random, 0.01)
        if not self._opened:
            self._left = 4

    def next(self) -> Json | None:
        """The next request; None when the sequence is over."""
        request = self._next()
        if request is not None:
            request["slot"] = self.slot
            self.requests.append(request)
        return request

    def heard(self, reply: Json) -> None:
        """Take in what the older side answered to the last request."""
        request = self.requests[-1]
        if "restore" in request:
            self._events = list(request["restore"])
        self._suspended = (
            reply.get("programme", {}).get("status", "suspended" if self._suspended else "") == "suspended"
        )
        self._summary = reply.get("summary") or self._summary
        if "govern" in request or "new" in request:
            return
        for event in reply.get("events", ()):
            self._events.append(event)
            if "request_id" in event["public"]:
                self._open_requests[event["type"]] = event["public"]["request_id"]

    def _next(self) -> Json | None:
        if not self.requests:
            return {"new": self._beginning()}
        if self._ready:
            return self._ready.pop()()
        self._left -= 1
        if self._left <= 0:
            return None
        if not self._opened:
            return self._govern()
        if not self._events:
            return self._file()
        met = self._pass_time()
        if met is not None:
            return met
        if self._flood == self._left:
            self._ready = [self._later(m.filing)] * FLOOD
        if self._summary.get("closed"):
            self._left = min(self._left, 3)
        return self._go_on()

    def _beginning(self) -> Json:
        return {
            "case": CASE,
            "rules": self._random.choice(VERSIONS),
            "more_rules": MORE_RULES,
            "opened_at": "2022-10-12T12:00:00+00:00" if self._opened else None,
            "places": self._random.choice([None, 10]),
        }

    def _file(self) -> Json:
        if likely(self._random, 0.03):
            return self._say(self._random.choice(m.EVERY)(self._random))
        if likely(self._random, 0.03):
            return self._govern()
        request = self._say(m.filing(self._random))
        request["command"]["files"] = True
        return request

    def _go_on(self) -> Json:
        kind = pick(self._random, self._kinds())
        if kind == "expected":
            return self._say(self._expected())
        if kind == "paused":
            return self._answered_in_a_pause()
        if kind == "due" and self._summary.get("due_at"):
            return self._meet()
        if kind == "govern":
            self._ready = [self._later(m.programme_changed)] if likely(self._random, 0.7) else []
            return self._govern()
        if kind == "again":
            return {**self._random.choice([r for r in self.requests if "command" in r]), "now": self._moment()}
        if kind == "met" and self._met:
            return self._command({"deadline": self._random.choice(self._met)})
        if kind == "restore":
            return self._restore()
        message = self._random.choice(m.EVERY)(self._random)
        return self._say(m.malformed(self._random, message) if kind == "malformed" else message)

    def _kinds(self) -> dict[str, int]:
        """What may come next, with weights."""
        kinds = {"expected": 72, "due": 8, "govern": 7, "any": 7, "again": 2, "met": 1, "restore": 1, "malformed": 1}
        if self._suspended:
            kinds |= {"govern": 22}
        elif self._summary.get("waiting_on") == "vetting":
            kinds |= {"paused": 4}
        if self._summary.get("waiting_on") == "parole_end":
            kinds |= {"due": 80}
        if self._summary.get("closed"):
            kinds |= {"restore": 15}
        return kinds

    def _answered_in_a_pause(self) -> Json:
        """Two partners are asked, both answer while the programme is suspended, and it resumes."""
        answers = self._random.sample([m.sponsor, m.vetting], 2)
        after = [self._later(make) for make in (m.replacement, *answers, m.programme_changed)]
        after.insert(1, lambda: self._tell("programme.suspended"))
        after.insert(4, lambda: self._tell("programme.resumed"))
        self._ready = after[::-1]
        return self._say(m.sponsor_withdrawal(self._random))

    def _tell(self, message: str) -> Json:
        return {"govern": {"message": message}, "now": self._moment()}

    def _later(self, make: m.Make) -> Callable[[], Json]:
        return lambda: self._say(make(self._random))

    def _expected(self) -> Json:
        expected = m.EXPECTED[self._summary.get("waiting_on")]
        return self._random.choices(list(expected), list(expected.values()))[0](self._random)

    def _say(self, message: Json) -> Json:
        random, kind = self._random, str(message["message"])
        open_request = self._open_requests.get(m.ANSWERS.get(kind, ""))
        if open_request and likely(random, 0.6):
            message["request_id"] = open_request if likely(random, 0.97) else f"{CASE}:{random.randrange(1, 9)}"
        received_at = self._now - timedelta(minutes=random.randrange(3000) if likely(random, 0.15) else 0)
        return self._command(
            {
                "message": message,
                "source": m.sender(random, kind),
                "message_id": f"m{len(self.requests)}",
                "received_at": received_at.isoformat(),
                "files": False,
            }
        )

    def _command(self, command: Json) -> Json:
        return {"command": command, "now": self._moment(), "world": self._world()}

    def _meet(self) -> Json:
        """The limit that ends next is over, at its moment or a little later."""
        due_at = datetime.fromisoformat(self._summary["due_at"])
        if likely(self._random, 0.05):
            due_at += timedelta(days=1)
        deadline = {"name": self._summary["due_name"], "due_at": due_at.isoformat()}
        self._now = max(self._now, due_at)
        self._now += timedelta(minutes=self._random.choice([0, 0, 0, 1, 300]))
        self._met.append(deadline)
        return self._command({"deadline": deadline})

    def _govern(self) -> Json:
        versions = (*VERSIONS, *MORE_RULES, "2099-01-01")
        message = m.government(self._random, suspended=self._suspended, versions=versions)
        return {"govern": message, "now": self._moment()}

    def _restore(self) -> Json:
        """The stored events read again, of a closed case sometimes with what was personal erased."""
        events: list[Json] = list(self._events)
        if self._summary.get("closed") and likely(self._random, 0.5):
            events = [{**event, "personal": None} for event in events]
            officers = {"first_officer": m.OFFICERS[0], "second_officer": m.OFFICERS[1], "because": "asked"}
            erased = {"type": "PersonalDataErased", "schema": 1, "at": self._moment(), "personal": None}
            events.append({**erased, "public": officers})
        return {"restore": events, "now": self._moment()}

    def _moment(self) -> str:
        return self._now.isoformat()

    def _pass_time(self) -> Json | None:
        """No time, minutes, days, or rarely years; most often the limit that ends meanwhile is met at its moment."""
        random, due_at = self._random, self._summary.get("due_at")
        if due_at and likely(random, 0.08):
            before = timedelta(days=random.choice([0, 1, 30, 31]), minutes=random.choice([0, 1]))
            self._now = max(self._now, datetime.fromisoformat(due_at) - before)
            return self._tell("programme.suspended") if likely(random, 0.3) else None
        if likely(random, 0.12):
            return None
        spans = {"minutes": 30, "hours": 30, "days": 30, "weeks": 9, "years": 1}
        most = {"minutes": 60, "hours": 60 * 24, "days": 60 * 24 * 10, "weeks": 60 * 24 * 60, "years": 60 * 24 * 900}
        after = self._now + timedelta(minutes=random.randrange(most[pick(random, spans)]))
        if due_at and datetime.fromisoformat(due_at) <= after and likely(random, 0.8):
            return self._meet()
        self._now = after
        return None

    def _world(self) -> Json:
        random, waiting = self._random, self._summary.get("waiting_on") == "place"
        weights = {"reserved": 70, "none": 25, "free": 5} if waiting else {"free": 70, "none": 25, "reserved": 5}
        details: list[Any] = ["tax_id", "phone", "address"]
        return {
            "place": pick(random, weights),
            "same_person": [random.choice(OTHERS)] if likely(random, 0.03) else [],
            "principal_open": likely(random, 0.75),
            "earlier_supporter_cases": random.choice([0] * 12 + [18, 19, 30]),
            "shared_details": random.sample(details, random.randrange(1, 4)) if likely(random, 0.05) else [],
        }
