"""Staff references: who has shown a token, as events name them. The table that tells whom one means can be erased."""

from typing import Protocol

from domain.kernel.ids import OfficerRef


class Staff(Protocol):
    """References of the subjects of tokens."""

    async def reference(self, issuer: str, subject: str) -> OfficerRef:
        """The reference of this subject, random and the same each time; made at the first.

        `subject` is normalised, so that two ways to write it are one person. Raises `StoreUnavailable`.
        """
        ...

    async def forget(self, reference: OfficerRef) -> bool:
        """Delete whom a reference means; False where nobody knows. Later the same subject gets another reference."""
        ...
