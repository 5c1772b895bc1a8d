"""`evolve(case, event)`: what each event makes of a case. One module a stage; `folding` looks the event up."""

from domain.evolve.folding import evolve, fold

__all__ = ["evolve", "fold"]
