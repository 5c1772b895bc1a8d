"""The only effects that a workflow may ask for."""
