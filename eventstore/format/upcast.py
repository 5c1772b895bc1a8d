"""How an event stored under an old schema version becomes one of today's: one pure step a version, over raw JSON.

A stored name, version or field never changes its meaning. A new meaning raises the class's `SCHEMA_VERSION`, adds
one step here and one golden file under `tests/golden/events/`; the files that are there stay.
"""

from collections.abc import Callable, Mapping
from typing import Any

Raw = dict[str, Any]
Step = Callable[[Raw, Raw | None], tuple[Raw, Raw | None]]
"""From (public, personal) of version n to those of n + 1; personal is None where it was erased. Returns new dicts."""

UPCASTERS: Mapping[tuple[str, int], Step] = {}
"""(type, version it starts from) to its step."""
