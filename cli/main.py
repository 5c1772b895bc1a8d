"""The `passage` command: one module a command group, one place that turns an error into an exit code."""
