"""A replay in plain words, English or Spanish: what happened, who did it, why, and how the case stood."""

from collections.abc import Mapping
from typing import Any

from audit.replay import words
from audit.replay.asked import Asked
from audit.replay.case import Entry, Replay, RuleTried
from audit.replay.words import Language
from domain import registry
from domain.kernel.definition import CLOSED, NO_CODES, Codes, Words
from domain.kernel.proof import Proof


class _Said(dict[str, str]):
    """Public fields in words; what an event does not have is said with nothing."""

    def __missing__(self, _: str) -> str:
        return ""


class Timeline:
    """Tells a replay in one language, in the words of the case's family; a code without words speaks for itself."""

    def __init__(self, found: Replay, language: Language) -> None:
        self._found = found
        self._family = registry.family_of(found.case_id)
        self.language = language

    def say(self, said: Words) -> str:
        """In this language."""
        text: str = getattr(said, self.language)
        return text

    def _code(self, code: str, codes: Mapping[str, Words]) -> str:
        known = codes.get(code)
        return code if known is None else self.say(known)

    def _value(self, value: Any, codes: Codes = NO_CODES) -> str:
        """A public value, in words where it is a code that has some."""
        if isinstance(value, list):
            return ", ".join(self._value(each, codes) for each in value)
        return self._code(str(value), {**self._family.codes, **codes})

    def happened(self, entry: Entry) -> str:
        """One sentence on what happened."""
        declared = self._family.events[entry.type]
        said = {name: self._value(v, declared.codes) for name, v in entry.public.items() if v is not None}
        sentence = "" if declared.words is None else self.say(declared.words)
        return " ".join(sentence.format_map(_Said(said)).split())

    def asked(self, found: Asked) -> str:
        """One sentence on who was told or shown what; the type alone of a kind that this program does not know."""
        said = _Said({name: str(value) for name, value in found.says.items()})
        return self._code(found.type, words.ASKED).format_map(said)

    def acted(self, entry: Entry) -> str:
        """Who did it."""
        role, colon, reference = entry.actor.rpartition(":")
        if colon:
            return self.say(words.ROLES.get(role, words.ROLE)).format(role=role, reference=reference)
        return self._code(entry.actor, self._family.sender_titles)

    def proved(self, entry: Entry) -> str:
        """By what it is known who did it."""
        proof = Proof.parse(entry.proof)
        said = words.PROOFS.get(proof.kind)
        who = self._code(proof.reference, self._family.sender_titles)
        return entry.proof if said is None else self.say(said).format(who=who, detail=proof.detail)

    def caused(self, entry: Entry) -> str:
        """What it followed from: a message, a limit that ended, or a notification of ours."""
        source, _, rest = entry.command_id.partition(":")
        if source == "deadline":
            name, _, at = rest.partition(":")
            return self.say(words.LIMIT).format(name=name, at=at)
        if source == "erase":
            return self.say(words.ERASURE)
        if source == "passage":
            return self.say(words.NOTIFICATION).format(id=rest)
        return self.say(words.MESSAGE).format(id=rest, who=self._code(source, self._family.sender_titles))

    def why(self, rule: RuleTried) -> str:
        """Why the rule said what it said."""
        known = self._family.rules[rule.rule].because.get(rule.because)
        return rule.because.replace("-", " ") if known is None else self.say(known)

    def result(self, rule: RuleTried) -> str:
        """Passed, failed or referred."""
        return self._code(rule.result, words.RESULTS)

    def rule_name(self, rule: RuleTried) -> str:
        """The rule's name."""
        return self._value(rule.rule)

    def state(self) -> list[tuple[str, str]]:
        """How the case stood, as names and values; what there is nothing of is left out."""
        titles = {**words.STATE, **self._family.fact_titles}
        codes = {
            "stage": {**self._family.stage_titles, CLOSED: words.CLOSED},
            "waiting_on": self._family.wait_titles,
            "requests": self._family.sender_titles,
        }
        return [
            (self._code(name, titles), self._of_state(value, codes.get(name, NO_CODES)))
            for name, value in self._found.state.items()
            if value not in (None, False, [], 0)
        ]

    def _of_state(self, value: Any, codes: Codes) -> str:
        if value is True:
            return self.say(words.YES)
        return value.isoformat() if hasattr(value, "isoformat") else self._value(value, codes)

    def personal(self) -> str:
        """Whether what is personal is shown, and if not why."""
        return self.say(words.PERSONAL[self._found.personal])
