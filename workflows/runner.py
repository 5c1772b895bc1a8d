"""How workers and replayers run workflow code."""

from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_LIBRARIES: Final = ("activities", "domain", "pydantic", "pydantic_core", "annotated_types", "typing_extensions")

STRICT_RUNNER: Final = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(*_LIBRARIES)
)
"""Loads the workflow modules anew for each run and refuses them whatever is not deterministic. For tests."""

RUNNER: Final = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(*_LIBRARIES, "workflows")
)
"""Shares the workflow modules, which keep no state of their own, among all runs. Measured over 300 cases: 0.08 MB and
11 ms of processor a case, against 0.25 MB and 25 ms with the strict one."""
