"""Why a stack cannot start or go on."""


class StackError(Exception):
    """The stack cannot start or go on. The message is one line: what, and why."""


class StackBusyError(StackError):
    """Another stack runs on the same data directory."""
