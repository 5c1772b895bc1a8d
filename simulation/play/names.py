"""Which case has which name in the file: case ids are drawn at filing."""

import secrets

from domain.kernel.ids import CaseId, case_id_from_entropy
from simulation.format.applications import stand_in


class CaseNames:
    """The cases filed so far, by name and by id; `prefix` is what ids of the scenario's cases begin with."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._ids: dict[str, CaseId] = {}
        self._names: dict[CaseId, str] = {}

    def note(self, name: str, case_id: CaseId) -> None:
        """The application of that name was filed as `case_id`."""
        self._ids[name] = case_id
        self._names[case_id] = name

    def filed(self, name: str) -> CaseId | None:
        """The case of that name; None while it is not filed."""
        return self._ids.get(name)

    def addressed(self, name: str) -> CaseId:
        """The case of that name; where it is not filed, an id that nobody has: whoever writes to it is told so."""
        return self._ids.get(name) or case_id_from_entropy(self._prefix, secrets.token_bytes(16))

    def standing_for(self, stand_in_id: CaseId) -> CaseId:
        """The case that a stand-in names."""
        return self.addressed(next((name for name in self._ids if stand_in(name) == stand_in_id), ""))

    def known(self, case_id: CaseId) -> str | None:
        """The name of a case; None for one that was not filed here."""
        return self._names.get(case_id)
