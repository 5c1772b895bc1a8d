"""A person goes through every kind of message and through failures of every kind; afterwards nothing tells of them.

Nothing but the encrypted columns, that is, and the partners, who are told.
"""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from tests.support.canary import FOREIGN, WORDS, files_with, found_in
from tests.support.canary_story import whole_story
from tests.support.rude_partner import RudePartner
from tests.support.whole_stack import WholeStack, free_port

MINUTE_A_DAY = {"PASSAGE_CLOCK_FACTOR": str(86_400 / 60)}  # no limit passes meanwhile
PARTNERS_FOLDER = "simulators"
TEMPORAL_FOLDER = "temporal"


@pytest.mark.slow
async def test_nothing_personal_is_found_anywhere(home: Path) -> None:
    ports = {"vetting": free_port(), "work_permit_office": free_port()}
    urls = {partner: f"http://127.0.0.1:{port}" for partner, port in ports.items()}
    stack = WholeStack(home, PASSAGE_PARTNER_URLS=json.dumps(urls), **MINUTE_A_DAY)
    vetting, office = RudePartner(["malformed", "failed", "misdirected", "taken"]), RudePartner(["refused"])
    async with vetting.listening(ports["vetting"]), office.listening(ports["work_permit_office"]):
        with contextlib.closing(stack):
            await asyncio.to_thread(stack.start)
            story = await whole_story(stack)
            await asyncio.to_thread(stack.stop)

    assert {where: found for where, content in story.read.items() if (found := found_in(content))} == {}
    assert {where for where, content in story.read.items() if found_in(content, [FOREIGN])} <= {
        f"history of {case_id}" for case_id in (story.cases[0], "not-a-case")
    }
    assert files_with(home, WORDS, skipped={PARTNERS_FOLDER}) == {}
    assert files_with(home, [FOREIGN], skipped={TEMPORAL_FOLDER}) == {}
    assert files_with(home, [FOREIGN]) != {}  # the search finds what is there
    assert {"malformed", "failed", "misdirected"} <= set(vetting.calls)
