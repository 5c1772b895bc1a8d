"""Keyed hashes by which a person or a detail is found again, without keeping what they are (decision 9).

HMAC-SHA256 under the pepper. The strings are normalised by the domain (`domain/humanitarian_parole/persons.py`).
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final, Literal

from eventstore.world import SupporterKeys

Kind = Literal["person", "supporter", "tax_id", "phone", "address", "message"]


MESSAGE_DIGITS: Final = 32
"""128 bits: no two ids meet by chance."""


class Lookups:
    """Turns what identifies somebody into lookup keys. The same kind and value always give the same 32 bytes."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def persons(self, identities: Iterable[str]) -> tuple[bytes, ...]:
        """One key for each way to tell that a beneficiary is the same person."""
        return tuple(self._key("person", identity) for identity in identities)

    def supporter(self, person: str, tax_id: str = "", phone: str = "", address: str = "") -> SupporterKeys:
        """The keys of a supporter; an empty detail has none, so it is equal to nobody's."""
        return SupporterKeys(
            person=self._key("supporter", person),
            tax_id=self._key("tax_id", tax_id) if tax_id else None,
            phone=self._key("phone", phone) if phone else None,
            address=self._key("address", address) if address else None,
        )

    def message(self, caller: str, given: str) -> str:
        """What stands in the record for the id that a caller gave a message: nobody can read it back."""
        return self._key("message", f"{caller}\0{given}").hex()[:MESSAGE_DIGITS]

    def _key(self, kind: Kind, value: str) -> bytes:
        return hmac.digest(self._pepper, f"{kind}\0{value}".encode(), hashlib.sha256)
