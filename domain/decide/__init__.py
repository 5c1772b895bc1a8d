"""`decide(case, command, world)`: what follows from a command. One module a stage; this one dispatches."""

from domain.decide.decider import Answer, Decision, decide, take

__all__ = ["Answer", "Decision", "decide", "take"]
