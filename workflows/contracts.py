"""The outside of workflow `Case`: its id, signals, updates, task queues and search attributes."""

from typing import Final

from temporalio.common import SearchAttributeKey

from activities.contracts import (
    CALLS_TASK_QUEUE,
    CASE_WORKFLOW,
    CASES_TASK_QUEUE,
    CaseMessageName,
    CaseStart,
    MessageRef,
    MessageResult,
    Notification,
    calls_task_queue,
)
from domain.ids import CaseId

__all__ = [
    "ANSWER_UPDATE",
    "CALLS_TASK_QUEUE",
    "CASES_TASK_QUEUE",
    "CASE_WORKFLOW",
    "NOT_A_CASE",
    "NOT_A_MESSAGE",
    "SEARCH_ATTRIBUTES",
    "CaseMessageName",
    "CaseStart",
    "MessageRef",
    "MessageResult",
    "Notification",
    "calls_task_queue",
    "identity",
    "workflow_id",
]

ANSWER_UPDATE: Final = "answer"
"""Update: `MessageRef` in, `MessageResult` out, once the message is decided."""

NOT_A_CASE: Final = "not-a-case"
"""Code of a run whose input is not the start of the case that its workflow id names."""
NOT_A_MESSAGE: Final = "not-a-message"
"""Code of an update that names no message."""

CASE_STAGE: Final = SearchAttributeKey.for_keyword("CaseStage")
WAITING_ON: Final = SearchAttributeKey.for_keyword("WaitingOn")
OUTCOME: Final = SearchAttributeKey.for_keyword("Outcome")
STAGE_DEADLINE: Final = SearchAttributeKey.for_datetime("StageDeadline")
PROGRAMME: Final = SearchAttributeKey.for_keyword("Programme")
RULES_VERSION: Final = SearchAttributeKey.for_keyword("RulesVersion")
FLAGS: Final = SearchAttributeKey.for_keyword_list("Flags")

SEARCH_ATTRIBUTES: Final = (CASE_STAGE, WAITING_ON, OUTCOME, STAGE_DEADLINE, PROGRAMME, RULES_VERSION, FLAGS)
"""All must be registered before the first case starts: a server that does not know one keeps the workflow waiting."""


def workflow_id(case_id: CaseId) -> str:
    """The workflow of a case has the case's id, and one workflow of it runs at a time."""
    return case_id


def identity(role: str, mark: str) -> str:
    """Who a client or a worker is, as histories show it: `worker`, `gateway`, and a random mark of the process.

    Never a host, a user or a person, which the SDK's default would name.
    """
    return f"passage-{role}-{mark}"
