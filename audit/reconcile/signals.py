"""Direct signals: which of them must be in the inbox, and which never got there because their run was ended."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from audit.reconcile.history import Run, Signal
from domain import registry

_OF_THE_SIGNAL: Final = frozenset({"message_id", "number", "source", "signed_at", "signatures"})
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CODES: Final = ("why", "kind", "flags", "fields")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}")
_CLEAN_ENDS: Final = frozenset({"completed", "continued-as-new"})


def expected_in_inbox(case_id: str, signal: Signal) -> Iterator[str]:
    """The command id under which a direct signal is in the inbox; nothing where it was refused, by the same rules.

    Whether a signature verified is not known here: the activity tells whom it refused (`refused_signals`).
    """
    elsewhere = registry.inbox_only() | registry.gateway_only()
    if signal.number is not None or signal.kind in elsewhere or not _ID.fullmatch(signal.message_id):
        return
    content = {key: value for key, value in signal.content.items() if key not in _OF_THE_SIGNAL}
    if not all(_is_code(content[name]) for name in _CODES if name in content):
        return
    try:
        message = registry.family_of(case_id).read({**content, "message": signal.kind})
    except ValidationError:
        return
    source = signal.content.get("source") or message.SENDERS[0]
    if source in message.SENDERS:
        yield f"{source}:{case_id}:{signal.message_id}"


def _is_code(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_code, value))
    return value is None or (isinstance(value, str) and _CODE.fullmatch(value) is not None)


def refused_signals(runs: Sequence[Run]) -> frozenset[tuple[str, str]]:
    """Kind and message id of what activities reported as refused."""
    return frozenset(
        each for run in runs for asked in run.asked if asked.reported is not None for each in asked.reported.refused
    )


def lost_signals(runs: Sequence[Run]) -> Iterator[Signal]:
    """Direct signals of a run that was ended before an activity took them, and that no later run got.

    A run that ends by itself has handed over all that it could read.
    """
    for run in runs:
        if run.ended is None or run.ended in _CLEAN_ENDS:
            continue
        handed_over = {each.message_id for asked in run.asked for each in asked.direct}
        later = {each.message_id for other in runs if other.started_at > run.started_at for each in other.signals}
        for signal in run.signals:
            if signal.message_id not in handed_over | later:
                yield signal
