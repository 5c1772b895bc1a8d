"""How workers and replayers run workflow code: in the SDK's sandbox, which refuses what is not deterministic."""

from typing import Final

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_SHARED: Final = ("activities", "domain", "pydantic", "pydantic_core", "annotated_types", "typing_extensions")
"""Immutable contracts and libraries: loaded once a process. Only the workflow modules are loaded for each run."""

RUNNER: Final = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*_SHARED))
