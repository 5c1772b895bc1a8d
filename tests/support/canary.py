"""People whose every detail is a word found nowhere else, and a search for those words in whatever was stored."""

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from domain.humanitarian_parole.application import Application, Beneficiary, Document, Entry, Passport, Supporter

WORDS: Final = (
    "Xaviqueña", "Ñurquimbao", "QX773194", "1987-03-2", "Xochimehuaq",  # the beneficiary
    "QX884205", "Vreelandova",  # their new passport and surname
    "ZZDOC551", "Zumpaquito",  # their documents
    "Zephyrinda", "Thistlewyck", "987-65-43", "713-555-739", "Wyvernhollow", "quillmoor.example", "1961-11-0",
    "Brotherhood of Q",  # the supporters
    "Pflagwhistle", "Pfieldzorb", "Pkindgrue", "Pwhyquark", "Pwhypartner", "Pwhyborder", "Pwhyoffice",  # free text
)  # fmt: skip
"""A part of each detail: two people differ in what follows it."""
FOREIGN: Final = "Mumblefroth"
"""What somebody with access to Temporal writes there, past every check of ours."""

ENTERED_AT: Final = datetime(2022, 8, 17, 13, 37, 11, tzinfo=UTC)


def beneficiary(number: int) -> Beneficiary:
    """Person `number`, from 0 to 9."""
    return Beneficiary(
        given_names="Xaviqueña",
        surnames=f"Ñurquimbao {'abcdefghij'[number]}",
        birth_date=date(1987, 3, 20 + number),
        nationalities=("VEN",),
        passport=passport(f"QX773194{number}"),
        located_in="MEX",
    )


def passport(number: str) -> Passport:
    """Valid for long."""
    return Passport(number=number, issuing_country="VEN", issued_on=date(2021, 3, 1), expires_on=date(2032, 3, 1))


def supporter(number: int) -> Supporter:
    """Who supports person `number`."""
    return Supporter(
        given_names="Zephyrinda",
        surnames=f"Thistlewyck {'abcdefghij'[number]}",
        birth_date=date(1961, 11, 1 + number),
        tax_id=f"987-65-43{number:02}",
        status="citizen",
        organisation=f"Brotherhood of Q {number}",
        household_size=2,
        annual_income_usd=60_000,
        address=f"{number} Wyvernhollow Ln, Houston TX",
        phone=f"+1-713-555-739{number}",
        email=f"z{number}@quillmoor.example",
    )


def document(number: int, **changes: Any) -> Document:
    """What person `number` shows of having entered."""
    facts = {"entered_on": date(2022, 9, 1), "issued_on": date(2022, 9, 1), **changes}
    return Document(kind="passport_stamp", number=f"ZZDOC551{number}", place="Zumpaquito", **facts)


def application(number: int, *, documents: bool = True) -> Application:
    """What is filed for person `number`."""
    entry = Entry(country="MEX", entered_at=ENTERED_AT, place="Xochimehuaq", manner="regular")
    shown = (document(number),) if documents else ()
    return Application(beneficiary=beneficiary(number), entries=(entry,), documents=shown, supporter=supporter(number))


def on_the_wire(filed: Any) -> dict[str, Any]:
    """As its sender writes it."""
    content: dict[str, Any] = filed.model_dump(mode="json", exclude_none=True)
    return content


def found_in(content: bytes, words: Iterable[str] = WORDS) -> set[str]:
    """The words that `content` holds, however they are written."""
    lower = content.lower()
    return {
        word
        for word in words
        if any(each in lower for each in _spellings(word)) or any(each in content for each in _in_base64(word))
    }


@cache
def _spellings(word: str) -> tuple[bytes, ...]:
    """In small letters; of what is not ASCII, both cases."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
    texts = {word, word.lower(), word.upper(), plain, unicodedata.normalize("NFD", word)}
    texts |= {re.sub(r"\D", "", word)} if re.fullmatch(r"[\d-]{11,}", word) else set()  # fewer digits come by chance
    escaped = {json.dumps(text)[1:-1] for text in texts} | {quote(text) for text in texts}
    found = {text.encode(coding) for text in texts for coding in ("utf-8", "utf-16-le")}
    found |= {text.encode() for text in escaped}
    found |= {text.encode().hex().encode() for text in texts}
    return tuple({each.lower() for each in found})


@cache
def _in_base64(word: str) -> tuple[bytes, ...]:
    """What is certain of it at each of the three places where it can begin."""
    found = []
    for text in {word, word.lower(), word.upper()}:
        for lead in range(3):
            encoded = base64.b64encode(b"\0" * lead + text.encode())
            found.append(encoded[-(-lead * 8 // 6) : (lead + len(text.encode())) * 8 // 6])
    return tuple(found)


def files_with(root: Path, words: Iterable[str], skipped: Iterable[str] = ()) -> dict[str, set[str]]:
    """Which files below `root`, but for the folders `skipped`, hold which words."""
    words, searched, found = tuple(words), set[bytes](), dict[str, set[str]]()
    for file in _files(root, set(skipped)):
        content = re.sub(rb"\0{64,}", b"\0", file.read_bytes())  # preallocated and never written
        digest = hashlib.sha256(content).digest()
        if digest not in searched and (words_of_file := found_in(content, words)):
            found[str(file.relative_to(root))] = words_of_file
        searched.add(digest)
    return found


def _files(root: Path, skipped: set[str]) -> Iterator[Path]:
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in skipped:
                yield from _files(entry, skipped)
        elif entry.is_file():
            yield entry
