"""The stages of a case, one module each: its messages, events, part of the state, rules, decide and evolve."""
