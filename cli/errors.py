"""How a command says that it found a fault, or that it cannot do its work."""


class FaultFoundError(Exception):
    """The command did its work and found something wrong: exit code 1. One line."""


class UnusableError(Exception):
    """Wrong usage, or a service that cannot be reached: exit code 2. One line: what, and what to do."""
