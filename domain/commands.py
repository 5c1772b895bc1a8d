"""What a case can be told to do: file, take a message, meet a deadline. Imperative; one a message or deadline."""

from dataclasses import dataclass
from datetime import datetime

from domain.ids import CaseId, CommandId, message_command_id
from domain.messages import Answer, ApplicationSubmitted, Report
from domain.vocabulary import DeadlineName


@dataclass(frozen=True, slots=True)
class FileApplication:
    """Begin a case with what was filed."""

    case_id: CaseId
    source: str
    message_id: str
    message: ApplicationSubmitted
    received_at: datetime

    @property
    def command_id(self) -> CommandId:
        """The same command again has the same id."""
        return message_command_id(self.source, self.message_id)


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Take a message that was received at `received_at`, which alone decides whether it was in time."""

    source: str
    message_id: str
    message: Answer | Report
    received_at: datetime

    @property
    def command_id(self) -> CommandId:
        """The same command again has the same id."""
        return message_command_id(self.source, self.message_id)


@dataclass(frozen=True, slots=True)
class MeetDeadline:
    """Do what follows from a limit that ended at `due_at`."""

    name: DeadlineName
    due_at: datetime

    @property
    def command_id(self) -> CommandId:
        """The same command again has the same id."""
        return CommandId(f"deadline:{self.name}:{self.due_at.isoformat()}")


Command = FileApplication | TakeMessage | MeetDeadline
