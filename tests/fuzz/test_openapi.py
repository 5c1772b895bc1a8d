"""A short run of what `make fuzz` does: the gateway never fails, and answers nothing that is not in its document."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fuzz.passes import Pass, as_line, fuzzed_stack

SEED = 2022
EXAMPLES = 10


@pytest.mark.timeout(300)  # as long as a machine may take that does other things too
@pytest.mark.slow  # a whole stack, and another program twice beside it
def test_every_answer_signed_and_unsigned_is_in_the_document(home: Path) -> None:
    passes = [Pass(signed, SEED, "examples,fuzzing,stateful", EXAMPLES) for signed in (True, False)]
    with fuzzed_stack(home) as target, ThreadPoolExecutor() as both:
        for done in both.map(target.run, passes):
            assert done.returncode == 0, done.stdout + done.stderr
        statuses = target.requests(signed=True) + target.requests(signed=False)
    assert statuses.total() > 300, as_line(statuses)
    assert Counter({"202": 20, "422": 20}) <= statuses, as_line(statuses)  # far past the guard
