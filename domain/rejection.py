"""The domain's "no": an answer with a code, not a failure."""


class Rejection(Exception):
    """A message that cannot be taken now. `code` is stable, public and free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
