"""What is personal data in an event, and what stands in its place after erasure.

A field marked `Personal` is encrypted under the case's key; every other field is public and may be read by anyone
who may read the log. After `PersonalDataErased` the stand-in replaces the value, so that a case still folds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field of an event as personal: `name: Annotated[str, Personal(erased="")]`."""

    erased: object
