"""What the checkout records, in the shape that the older commit gave it: the differences that are meant stand here.

Meant are: a basis that keeps the moment and all that was known, on the first event of each command; rule sets kept
whole in the record; nationality told as a code of every programme; digests of rule sets, which cover more.
"""

import json
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from domain.kernel.calendar import day_of
from domain.kernel.events import CaseEvent, Personal
from domain.kernel.programme import ProgrammeEvent, ProgrammeOpened, RulesAdopted
from domain.kernel.rule_set import RuleSet, read_rule_set

Json = dict[str, Any]

DIGEST = "0" * 64
ALWAYS_WITH_BASIS = {
    "SponsorConfirmed",
    "EntryProofNotRequired",
    "EntryVerified",
    "EntryRefused",
    "TravelAuthorized",
    "TravelAuthorizationReleased",
}
WITH_BASIS_OF_RULES = {
    "SponsorConfirmationRequested",
    "ReferredToOfficer",
    "TravelAuthorizationRevoked",
    "CaseClosed",
}
BECAUSE = {"national": "venezuelan", "not-national": "not-venezuelan"}
ADDED = (("EntryRefused", "manner"), ("ReferredToOfficer", "answer"), ("ParoleGranted", "by_border"))
"""Fields by which a message can be made again from its events."""
PARAMETERS = {
    "child_age_years": ("sole-nationality", "child_age_years"),
    "irregular_entry_after": ("irregular-entry", "after"),
}


@lru_cache(maxsize=256)
def _personal(event: type[CaseEvent]) -> dict[str, Any]:
    """The stand-in of each personal field."""
    found = {}
    for name, field in event.model_fields.items():
        for each in field.metadata:
            if isinstance(each, Personal):
                found[name] = each.erased
    return found


def erased(event: CaseEvent) -> CaseEvent:
    """The event as it reads after erasure."""
    kept = event.model_dump(exclude=set(_personal(type(event))))
    return type(event).model_validate({**kept, **_personal(type(event))})


def as_stored(event: CaseEvent | ProgrammeEvent) -> Json:
    """The event as the older commit would have stored it."""
    name, dumped = type(event).__name__, event.model_dump(mode="json", exclude={"at"})
    personal: Json | None = None
    if isinstance(event, CaseEvent):
        hidden = set(_personal(type(event)))
        personal = {key: dumped.pop(key) for key in sorted(hidden)} or None
        _formerly_based(name, dumped)
        if name == "CaseHeld" and personal and personal["answer"]:
            personal["answer"]["body"] = json.loads(personal["answer"]["body"])
    else:
        _formerly_ruled(event, dumped)
    if "rules_digest" in dumped:
        dumped["rules_digest"] = DIGEST
    for said, field in ADDED:
        if name == said:
            (personal if personal and field in personal else dumped).pop(field)
    return {
        "type": name,
        "schema": event.SCHEMA_VERSION,
        "at": event.at.isoformat(),
        "public": dumped,
        "personal": personal,
    }


def _formerly_based(name: str, dumped: Json) -> None:
    basis = dumped.pop("basis")
    if name not in ALWAYS_WITH_BASIS | WITH_BASIS_OF_RULES:
        return
    if basis is None or (name in WITH_BASIS_OF_RULES and not basis["results"]):
        dumped["basis"] = None
        return
    for result in basis["results"]:
        result["because"] = BECAUSE.get(result["because"], result["because"])
    basis["rules_digest"] = DIGEST
    basis["decided_on"] = day_of(datetime.fromisoformat(basis.pop("decided_at"))).isoformat()
    del basis["message"]
    known = basis.pop("known")
    tried = [result["because"] for result in basis["results"] if result["rule"] == "supporter"]
    asked = bool(tried) and tried != ["officer-approved"]
    basis["earlier_supporter_cases"] = known.get("earlier_supporter_cases", 0) if asked else None
    dumped["basis"] = basis


def _formerly_ruled(event: ProgrammeEvent, dumped: Json) -> None:
    if isinstance(event, ProgrammeOpened | RulesAdopted):
        rules = read_rule_set(dumped.pop("rules"))
        override = dumped.pop("places", None)
        dumped |= {"places": rules.places, "cap_period": rules.cap_period}
        if isinstance(event, ProgrammeOpened):
            dumped["places_override"] = override
        else:
            dumped["applies_to_running"] = rules.applies_to_running
    dumped.pop("pool", None)


def rules_with(base: RuleSet, version: str, changes: Json) -> RuleSet:
    """A set made from `base`, with changes named as the older commit named them."""
    content = {**json.loads(base.text), "version": version}
    for name, value in changes.items():
        if name == "applies_to_running":
            content[name] = value
        elif name == "cap_period":
            content["caps"][0]["period"] = value
        elif name in PARAMETERS:
            rule, parameter = PARAMETERS[name]
            content["rules"][rule][parameter] = date.fromisoformat(value).isoformat() if "after" in name else value
        else:
            content["limits"][name.removesuffix("_days").removesuffix("_limit").replace("_", "-")] = value
    return read_rule_set(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
