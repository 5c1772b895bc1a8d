"""How one layer of a scenario lies on another: maps merge at every depth, lists and scalars replace."""

from simulation.format.yaml_source import Located, is_map
from simulators.scripts import ANSWER_KINDS, PartnerScript

_SCRIPT_KEYS = frozenset(PartnerScript.model_fields) - {"says"}


def merge(under: Located, over: Located) -> Located:
    """`over` laid on `under`."""
    if not (is_map(under.value) and is_map(over.value)):
        return over
    merged = dict(under.value)
    for key in _fields_of_another_answer(under, over):
        del merged[key]
    for key, each in over.value.items():
        merged[key] = merge(merged[key], each) if key in merged else each
    return Located(over.place, merged, {**under.key_places, **over.key_places})


def _fields_of_another_answer(under: Located, over: Located) -> set[str]:
    """The keys that a partner's script does not inherit once it answers otherwise.

    They are fields of the message that was replaced, and the new answer has none of that name.
    """
    if not (is_map(under.value) and is_map(over.value) and "answer" in under.value and "answer" in over.value):
        return set()
    before, after = under.value["answer"].value, over.value["answer"].value
    if before not in ANSWER_KINDS or not (after in ANSWER_KINDS or after == "none"):
        return set()
    known = set(ANSWER_KINDS[str(after)].model_fields) if after in ANSWER_KINDS else set()
    return (set(under.value) & set(ANSWER_KINDS[str(before)].model_fields)) - known - _SCRIPT_KEYS
