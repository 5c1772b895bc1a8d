"""Staff references without a database."""


class Nobodys:
    """A `Staff` in which each subject is its own reference."""

    async def reference(self, issuer: str, subject: str) -> str:
        del issuer
        return f"s-{subject.casefold()}"

    async def forget(self, reference: str) -> bool:
        del reference
        return False
