"""The pages of a partner: its deliveries, answers, retries, dead letters, and a button; for nobody else's eyes."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from pydantic import SecretStr

from cases.inbound.webhooks import Signer, new_shared_key, sign
from eventstore.conflicts import StoreUnavailable
from eventstore.operations import DEAD_AFTER
from eventstore.postgres.operations import PostgresDeliveries
from gateway.pages.views import ROWS
from process.config import Settings
from tests.support.gateway import NOON, Desk, gateway_desk
from tests.support.html import Form, Page

KEY = new_shared_key()
PERSONAL = ("Pérez", "María", "Gómez", "000000001", "houston", "luis@example.org")
PLACE = "/partners/applicant/deliveries"


def settings(database_url: str, home: Path, **more: Any) -> Settings:
    file = home / "partners.json"
    file.write_text(json.dumps({"applicant": [KEY], "border": [new_shared_key()]}))
    file.chmod(0o600)
    return Settings(database_url=SecretStr(database_url), partner_keys=file, **more)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys", guard=settings(database_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def embedded(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    guard = settings(database_url, tmp_path, embedded_stack=True, unsigned_messages=True)
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as opened:
        yield opened


class Browser:
    """Keeps cookies as a browser does, follows no redirect by itself, and reads what it is shown."""

    def __init__(self, desk: Desk, **headers: str) -> None:
        self._http = desk.http
        self._headers = headers
        self.cookies: dict[str, str] = {}

    async def get(self, place: str, status: int = 200) -> Page:
        return read(await self._ask("GET", place), status)

    async def press(self, form: Form, status: int = 303, **fields: str) -> httpx2.Response:
        body = urlencode([*((n, v) for n, v in form.fields if n not in fields), *fields.items()])
        answer = await self.post(form.action, body)
        assert answer.status_code == status, answer.text
        return answer

    async def post(self, place: str, body: str, **headers: str) -> httpx2.Response:
        return await self._ask("POST", place, body, {"content-type": "application/x-www-form-urlencoded", **headers})

    async def _ask(
        self, method: str, place: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {**self._headers, **(headers or {}), **({"cookie": kept} if kept else {})}
        self._http.cookies.clear()
        answer = await self._http.request(method, place, content=body, headers=own)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if "max-age=0" in line.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer


def read(answer: httpx2.Response, status: int = 200) -> Page:
    """The page, which is well made, shows nothing personal, and would run nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style
    allowed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{allowed}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    page = Page(answer.text)
    assert page.faults == []
    assert not any(word.lower() in answer.text.lower() for word in PERSONAL)
    return page


async def signed_in(desk: Desk, *roles: str, place: str = PLACE) -> Browser:
    browser = Browser(desk)
    form = (await browser.get(place, 401)).forms[0]
    token = desk.bearer(*roles)["Authorization"].removeprefix("Bearer ")
    answer = await browser.press(form, token=token)
    assert answer.headers["location"] == place
    return browser


async def say(desk: Desk, message_id: str, case_id: str, message: str = "application.withdrawn") -> None:
    raw = json.dumps({"case": case_id, "message": message}).encode()
    headers = sign([Signer.parse(KEY)], message_id, desk.moments[-1], raw)
    sent = await desk.http.post(
        "/v1/partners/applicant/messages", content=raw, headers={"content-type": "application/json", **headers}
    )
    assert sent.status_code == 202, sent.text


async def kill(desk: Desk) -> None:
    """Ring for everything so often that it is dead."""
    for _ in range(DEAD_AFTER):
        await desk.deps.inbox.claim_notifications(1000)
        await desk.database.execute("UPDATE passage.notification SET notified_at = now() - interval '31 seconds'")


class TestShown:
    async def test_deliveries_answers_and_repeats_are_listed_the_latest_first(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await desk.take_all(case_id)
        await say(desk, "a-1", case_id, "work_permit.applied")
        await desk.take_all(case_id)
        for _ in range(3):
            await say(desk, "a-2", case_id)
        page = await (await signed_in(desk, "partner:applicant")).get(PLACE)
        head, latest, first = page.rows
        assert head == ["Number", "Received", "Message", "About", "Came", "Notified", "Answer"]
        assert latest[2:] == ["application.withdrawn", case_id, "3", "0", "waiting"]
        assert first[2:] == ["work_permit.applied", case_id, "1", "0", "rejected not-paroled"]
        assert first[1] == "2022-10-20 12:00:00 UTC"
        assert "Deliveries of applicant" in page.text

    async def test_one_message_is_shown_with_its_id_and_how_it_was_known(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await say(desk, "msg_2f6c1e", case_id)
        browser = await signed_in(desk, "partner:applicant")
        link = (await browser.get(PLACE)).links["2"]
        page = await browser.get(link)
        for said in (
            desk.deps.cases.message_id("applicant", "msg_2f6c1e"),
            case_id,
            "key:applicant:",
            "waiting",
            "once",
            "0 times",
        ):
            assert said in page.text

    async def test_nothing_there_is_said_in_words(self, desk: Desk) -> None:
        browser = await signed_in(desk, "partner:applicant")
        for shown, words in (
            ("all", "No message has come"),
            ("waiting", "Every message has its answer"),
            ("dead", "No dead letters"),
            ("refused", "Nothing was refused"),
        ):
            page = await browser.get(f"{PLACE}?show={shown}")
            assert words in page.text
            assert page.rows == []

    async def test_what_was_refused_is_listed_with_its_meaning(self, desk: Desk) -> None:
        await desk.send("applicant", "forged", {"case": "VEN-1111-1111", "message": "application.withdrawn"})
        page = await (await signed_in(desk, "partner:applicant")).get(f"{PLACE}?show=refused")
        refused = next(row for row in page.rows if row[1] == "signature-missing")
        assert refused[2:5] == [
            "The message must be signed: send webhook-timestamp and webhook-signature.",
            "1",
            desk.deps.cases.message_id("refused", "forged"),
        ]

    async def test_older_messages_are_a_page_further(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        for number in range(ROWS + 3):
            await say(desk, f"a-{number}", case_id)
        browser = await signed_in(desk, "auditor")
        page = await browser.get(PLACE)
        assert len(page.rows) == ROWS + 1
        older = await browser.get(page.links["Older messages"])
        assert [row[0] for row in older.rows] == ["Number", "4", "3", "2"]
        assert "Older messages" not in older.links

    async def test_what_a_sender_chose_is_shown_as_text(self, embedded: Desk) -> None:
        await embedded.database.execute(
            "INSERT INTO passage.refusal SELECT now(), 'applicant', '/r', '<b>&', '<script>', '\"><i>', 1, now(), now()"
        )
        page = await Browser(embedded).get(f"{PLACE}?show=refused")
        assert page.rows[1][1] == "<b>&"
        assert page.rows[1][4:] == ['"><i>', "<script>"]


class TestRedriving:
    async def test_a_dead_letter_is_notified_again_by_a_button(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await say(desk, "a-1", case_id)
        await kill(desk)
        browser = await signed_in(desk, "partner:applicant")
        page = await browser.get(f"{PLACE}?show=dead")
        assert page.rows[1][5:] == [str(DEAD_AFTER), "dead letter"]
        shown = await browser.get(page.links["2"])
        form = next(form for form in shown.forms if form.button == "Notify the case again")
        assert await desk.deps.inbox.claim_notifications(10)  # a moment ago, so that nothing is due
        assert await desk.deps.inbox.claim_notifications(10) == ()
        answer = await browser.press(form)
        after = await browser.get(answer.headers["location"])
        assert "notified of one message" in after.text
        assert "0 times" in after.text
        assert [row.number for row in await desk.deps.inbox.claim_notifications(10)] == [2]

    async def test_all_dead_letters_are_notified_at_once(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        for number in range(3):
            await say(desk, f"a-{number}", case_id)
        await kill(desk)
        browser = await signed_in(desk, "operator")
        page = await browser.get(f"{PLACE}?show=dead")
        form = next(form for form in page.forms if form.button.startswith("Notify the cases of all"))
        after = await browser.get((await browser.press(form)).headers["location"])
        assert "notified of 3 messages" in after.text
        assert "No dead letters" in (await browser.get(f"{PLACE}?show=dead")).text

    async def test_what_has_its_answer_has_no_button_and_an_old_one_does_nothing(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await say(desk, "a-1", case_id)
        browser = await signed_in(desk, "partner:applicant")
        form = next(f for f in (await browser.get(f"{PLACE}/2")).forms if f.button == "Notify the case again")
        await desk.take_all(case_id)
        assert [f.button for f in (await browser.get(f"{PLACE}/2")).forms] == ["Sign out"]
        after = await browser.get((await browser.press(form)).headers["location"])
        assert "The message already has its answer" in after.text

    async def test_another_partners_message_cannot_be_seen_or_notified(self, desk: Desk) -> None:
        await desk.filed_case()  # number 1, of the supporter
        browser = await signed_in(desk, "partner:applicant")
        assert "No such message" in (await browser.get(f"{PLACE}/1", 404)).text
        mark = (await browser.get(PLACE)).forms[0].fields[0]
        await browser.press(Form(f"{PLACE}/redrive", fields=[mark, ("number", "1")]), status=404)
        for nonsense in ("x", "-1", "1" * 40, "\u0661"):
            await browser.press(Form(f"{PLACE}/redrive", fields=[mark, ("number", nonsense)]), status=404)


class TestWhoMay:
    async def test_a_partners_own_people_operators_and_auditors_read(self, desk: Desk) -> None:
        for role, status in (
            ("partner:applicant", 200),
            ("operator", 200),
            ("auditor", 200),
            ("partner:border", 403),
            ("officer", 403),
            ("intake", 403),
        ):
            read(await desk.http.get(PLACE, headers=desk.bearer(role)), status)

    async def test_an_auditor_reads_and_presses_nothing(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await say(desk, "a-1", case_id)
        browser = await signed_in(desk, "auditor")
        page = await browser.get(f"{PLACE}/2")
        assert [form.button for form in page.forms] == ["Sign out"]
        await browser.press(Form(f"{PLACE}/redrive", fields=[*page.forms[0].fields, ("number", "2")]), status=403)

    async def test_who_is_not_known_is_asked_to_sign_in_and_who_may_not_is_on_record(self, desk: Desk) -> None:
        answer = await desk.http.get(PLACE)
        page = read(answer, 401)
        assert answer.headers["www-authenticate"] == 'Bearer realm="passage"'
        assert page.forms[0].button == "Sign in"
        await desk.http.get(PLACE, headers=desk.bearer("officer", subject="o-1"))
        kept = await desk.database.fetch("SELECT partner, code, sender FROM passage.refusal")
        assert [tuple(row) for row in kept] == [("applicant", "role-missing", f"token:{await desk.reference('o-1')}")]

    async def test_a_token_that_is_not_good_is_not_kept_and_that_is_said(self, desk: Desk) -> None:
        browser = Browser(desk)
        form = (await browser.get(PLACE, 401)).forms[0]
        for token, status, words in (
            ("nonsense", 401, "token-malformed"),
            ("", 401, "token-malformed"),
            (desk.bearer("officer")["Authorization"].removeprefix("Bearer "), 403, "role-missing"),
        ):
            again = read(await browser.press(form, status=status, token=token), status)
            assert words in again.text
            assert again.forms[0].button == "Sign in"
            assert not any("session" in name for name in browser.cookies)

    async def test_a_session_ends_with_its_token(self, desk: Desk) -> None:
        browser = await signed_in(desk, "partner:applicant")
        await browser.get(PLACE)
        desk.moments.append(NOON + timedelta(hours=2))
        assert "token-expired" in (await browser.get(PLACE, 401)).text

    async def test_signing_out_forgets_the_token(self, desk: Desk) -> None:
        browser = await signed_in(desk, "partner:applicant")
        form = next(form for form in (await browser.get(PLACE)).forms if form.button == "Sign out")
        await browser.press(form)
        await browser.get(PLACE, 401)

    async def test_a_cookie_is_for_this_host_alone_and_no_script(self, desk: Desk) -> None:
        answer = await desk.http.get(PLACE)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-passage-form=")
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(cookie.split("; "))

    async def test_a_proxy_that_signs_people_in_needs_no_cookie_of_ours(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await say(desk, "a-1", case_id)
        browser = Browser(desk, **desk.bearer("partner:applicant"))
        form = (await browser.get(f"{PLACE}/2")).forms[0]
        assert form.button == "Notify the case again"  # and no way out, which is the proxy's
        await browser.press(form)


class TestForgery:
    async def test_a_button_pressed_on_another_site_does_nothing(self, desk: Desk) -> None:
        case_id = await desk.filed_case()
        await say(desk, "a-1", case_id)
        await desk.deps.inbox.claim_notifications(10)
        victim, attacker = await signed_in(desk, "operator"), await signed_in(desk, "partner:applicant")
        place = f"{PLACE}/redrive"
        own = dict((await victim.get(f"{PLACE}/2")).forms[-1].fields)
        theirs = dict((await attacker.get(f"{PLACE}/2")).forms[-1].fields)
        for fields in ({"number": "2"}, {**own, "mark": ""}, {**own, "mark": "é"}, theirs):
            answer = await victim.post(place, urlencode(fields))
            assert "form-stale" in read(answer, 403).text
        elsewhere = await victim.post(place, urlencode(own), **{"sec-fetch-site": "cross-site"})
        assert elsewhere.status_code == 403
        assert await desk.deps.inbox.claim_notifications(10) == ()
        codes = [row[0] for row in await desk.database.fetch("SELECT DISTINCT code FROM passage.refusal")]
        assert "form-stale" in codes

    async def test_nobody_is_signed_in_by_another_site(self, desk: Desk) -> None:
        token = desk.bearer("partner:applicant")["Authorization"].removeprefix("Bearer ")
        answer = await Browser(desk).post("/partners/applicant/session", urlencode({"token": token, "mark": "x"}))
        assert answer.status_code == 403
        assert "session" not in answer.headers.get("set-cookie", "")

    async def test_nothing_but_a_form_is_read(self, desk: Desk) -> None:
        browser = await signed_in(desk, "operator")
        answer = await desk.http.post(f"{PLACE}/redrive", json={"number": 2}, headers=desk.bearer("operator"))
        assert answer.status_code == 415
        for body in ("&" * 2000 + "a=b", "%00", "\xff", "a=b&" * 200, ""):
            assert (await browser.post(f"{PLACE}/redrive", body)).status_code in (403, 422)


class TestEmbedded:
    async def test_pages_are_tried_without_signing_in(self, embedded: Desk) -> None:
        case_id = await embedded.filed_case()
        await say(embedded, "a-1", case_id)
        browser = Browser(embedded)
        page = await browser.get(f"{PLACE}/2")
        assert [form.button for form in page.forms] == ["Notify the case again"]
        await browser.press(page.forms[0])
        await Browser(embedded).press(page.forms[0], status=403)  # another browser's form

    async def test_a_cookie_works_without_tls(self, embedded: Desk) -> None:
        answer = await embedded.http.get(PLACE)
        assert answer.headers["set-cookie"].startswith("passage-form=")
        assert "Secure" not in answer.headers["set-cookie"]


class TestErrors:
    async def test_a_place_that_there_is_not_says_so_as_a_page(self, embedded: Desk) -> None:
        for place in ("/partners/nobody/deliveries", "/partners/applicant/deliveries/99", "/partners/x", "/partners/"):
            read(await embedded.http.get(place), 404)
        read(await embedded.http.get(f"{PLACE}?show=everything"), 422)
        read(await embedded.http.get(f"{PLACE}?before=0"), 422)
        read(await embedded.http.put(PLACE), 405)

    async def test_a_database_that_is_away_says_so_as_a_page(
        self, embedded: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: object) -> Any:
            raise StoreUnavailable("away")

        monkeypatch.setattr(PostgresDeliveries, "find", away)
        answer = await embedded.http.get(PLACE)
        page = read(answer, 503)
        assert answer.headers["retry-after"] == "1"
        assert page.links["Try again"] == PLACE
