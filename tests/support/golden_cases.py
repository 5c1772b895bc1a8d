"""Whole cases as they were stored once, and the state each folds to: for ever, whatever the code becomes.

`python -m tests.support.golden_cases` writes the files that are missing. It never rewrites one.
"""

import dataclasses
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import fold
from domain.kernel.events import CaseEvent
from eventstore.format.codec import CODEC
from eventstore.format.wrapping import unwrap
from tests.support.stored_cases import all_stored

FOLDER = Path(__file__).parents[1] / "golden" / "cases"
CHOSEN = (
    "01-all-five-steps",
    "entry-irregular-strongly-documented",
    "evidence-weak-then-late",
    "extension-in-a-hold",
    "minors-and-their-guardians",
    "everything-delivered-twice",
    "cap-raised-and-lowered",
    "crossing-after-parole",
)


def state_hash(case: Case) -> str:
    """SHA-256 over every field that is not at its default: a field or a part that cases learn later changes no hash."""
    told = {**_told(case), "parts": {part.__name__: _told(kept) for part, kept in case.parts.items() if _told(kept)}}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()


def _told(value: Any) -> dict[str, Any]:
    """The fields that are not at their defaults."""
    return {
        each.name: getattr(value, each.name)
        for each in dataclasses.fields(value)
        if getattr(value, each.name) != each.default
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _told(value)
    return value.model_dump(mode="json", exclude_defaults=True) if hasattr(value, "model_dump") else value.isoformat()


def folded(events: list[dict[str, Any]], case_id: str) -> Case:
    """The case of a file, decoded and upcast by today's code."""
    decoded = (
        CODEC.decode(
            each["type"],
            each["schema_version"],
            datetime.fromisoformat(each["happened_at"]),
            each["public_body"].encode(),
            None if each["personal_body"] is None else each["personal_body"].encode(),
        )
        for each in events
    )
    return fold(registry.family_of(case_id), Case(case_id), (cast("CaseEvent", event) for event in decoded))


def _write_missing() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, log in all_stored():
        path = FOLDER / f"{name}.json"
        if name not in CHOSEN or path.exists():
            continue
        cases = []
        for case_id in log.cases:
            events = []
            rows = log.streams[case_id]
            for row, stored in zip(rows, unwrap(rows, log.keys).events, strict=True):
                public, personal = CODEC.encode(stored.event)
                events.append(
                    {
                        "type": row.type,
                        "schema_version": row.schema_version,
                        "happened_at": row.happened_at.isoformat(),
                        "public_body": public.decode(),
                        "personal_body": None if personal is None else personal.decode(),
                    }
                )
            state = state_hash(folded(events, case_id))
            cases.append({"case_id": case_id, "state_sha256": state, "events": events})
        path.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    _write_missing()
