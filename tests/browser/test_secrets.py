"""S-02, S-05, S-07, S-08, S-09: what opens a session, and what its own browser can do to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser.checkout import Checkout, embed, visit
from tests.browser.house import Document, House, Session
from tests.browser.watch import OpenContext, Watch
from tests.support.world import CUSTOMER_ADDRESS

OTHER_ADDRESS = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
# Sent as the page itself would: from its own origin, with its own credential.
CALL = """
async ([session, path, body]) => {
  const credential = localStorage.getItem(`rampwright:${session}`);
  const answer = await fetch(path, {
    method: "POST",
    headers: {
      "Authorization": `Bearer ${credential}`,
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID(),
    },
    body: JSON.stringify(body),
  });
  return [answer.status, (await answer.json()).code ?? null];
}
"""


async def status(house: House, session: Session) -> str:
    """A session's, as the partner sees it."""
    return str((await house.world.get(f"/v1/sessions/{session.id}"))["status"])


def without_signature(secret: str) -> str:
    """The same claims in a token that says that it needs no signature."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{header}.{secret.split('.')[1]}."


def one_bit_off(secret: str) -> str:
    """The same token with another signature."""
    head, claims, signature = secret.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[7] ^= 1
    return ".".join([head, claims, base64.urlsafe_b64encode(raw).rstrip(b"=").decode()])


async def test_s_02_a_secret_is_used_once(house: House, page: Page, open_contexts: OpenContext) -> None:
    session = await house.session()
    first = await visit(page, session)
    await first.at("amount")
    assert page.url == session.bare_url  # the secret is out of the address bar
    thief = await (await open_contexts()).new_page()
    second = await visit(thief, session)
    await second.over("session_already_used")
    await first.to_payment()  # whoever came first is not disturbed


@pytest.mark.parametrize("damage", [one_bit_off, lambda secret: secret[:-9], without_signature])
async def test_s_02_a_damaged_secret_opens_nothing(house: House, page: Page, damage: Callable[[str], str]) -> None:
    session = await house.session()
    await page.goto(f"{session.bare_url}#{damage(session.client_secret)}")
    await Checkout(page).over("session_expired", "session_secret_missing")
    assert await status(house, session) == "created"


async def test_s_02_a_secret_of_another_session_opens_nothing_here(house: House, page: Page) -> None:
    session, other = await house.session(), await house.session()
    await page.goto(f"{session.bare_url}#{other.client_secret}")
    await Checkout(page).over("session_origin_mismatch", "session_expired")
    assert await status(house, session) == "created"


async def test_s_02_a_revoked_session_ends_at_once(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    await checkout.to_review()
    revoked = await house.world.post(f"/v1/sessions/{session.id}/revoke")
    assert revoked.status_code == 200, revoked.text
    await checkout.over("session_expired", "session_ended")
    assert await house.orders(session) == []


@pytest.mark.parametrize("fragment", ["", "#", "#%", "#%E0%A4%A", "#a.b", "#<script>"])
async def test_s_02_the_link_without_its_secret_opens_nothing(house: House, page: Page, fragment: str) -> None:
    session = await house.session()
    await page.goto(session.bare_url + fragment)
    await Checkout(page).over("session_secret_missing")
    assert await status(house, session) == "created"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/session/quotes", {"amount": "1.00"}),
        ("/v1/session/quotes", {"payment_method": "ach_debit"}),
        ("/v1/session/quotes", {"source": {"asset": "USD"}}),
        ("/v1/session/quotes", {"partner_fee_bps": 0}),
        ("/v1/session/orders", {"address": OTHER_ADDRESS}),
        ("/v1/session/orders", {"memo": "7"}),
        ("/v1/session/orders", {"partner_id": "pt_1"}),
    ],
)
async def test_s_05_what_is_bound_cannot_be_changed_and_trying_ends_the_session(
    house: House, page: Page, path: str, body: Document
) -> None:
    session = await house.bound_session()
    checkout = await visit(page, session)
    await checkout.at("amount")
    await expect(checkout.part("quote-countdown")).to_be_visible()
    if path.endswith("orders"):
        quote = await page.evaluate(
            "(session) => fetch('/v1/session', {headers: {Authorization: "
            "`Bearer ${localStorage.getItem('rampwright:' + session)}`}}).then((found) => found.json())",
            session.id,
        )
        body = {"quote_id": quote["quote"]["id"], **body}
    refused = await page.evaluate(CALL, [session.id, path, body])
    assert refused[0] == 422
    assert await status(house, session) == "revoked"
    await checkout.over("session_expired", "session_ended")
    assert await house.orders(session) == []


async def test_s_07_what_a_redirect_says_is_not_believed(house: House, page: Page) -> None:
    session = await house.session()
    forged = "status=success&redirect_status=succeeded&payment_intent=pi_1&order=or_1&paid=1"
    await page.goto(f"{session.bare_url}?{forged}#{session.client_secret}")
    checkout = Checkout(page)
    await checkout.at("amount")
    await checkout.to_payment()
    await page.goto(f"{session.bare_url}?{forged}")
    await checkout.at("payment")
    assert (await house.order(session))["status"] == "awaiting_funds"


async def test_s_08_there_is_no_field_for_a_card_and_a_number_is_refused(house: House, page: Page) -> None:
    session = await house.session()
    checkout = await visit(page, session)
    cards = "input[autocomplete^=cc-], input[name*=number i], input[name*=cvc i], input[id*=card-number i]"
    await checkout.to_payment()
    fields = page.locator("input:not([type=radio]):not([type=checkbox]):not([type=hidden])")
    await expect(page.locator(cards)).to_have_count(0)
    await expect(checkout.part("step-payment").locator(fields)).to_have_count(0)
    for number in ("4242424242424242", "5555555555554444"):
        refused = await page.evaluate(CALL, [session.id, "/v1/session/pay", {"payment_method": number}])
        assert refused[0] == 422
    assert (await house.order(session))["status"] == "awaiting_funds"


async def test_s_09_a_guessed_session_is_not_there(house: House, page: Page) -> None:
    session = await house.session()
    guessed = session.bare_url[:-3] + "ZZZ"
    for url in (guessed, f"{house.origin}/w/ss_1", f"{house.origin}/w/%2e%2e%2fetc"):
        answer = await page.goto(url)
        assert answer is not None
        assert answer.status == 404
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        await expect(page.locator("section[data-testid^=step-]")).to_have_count(0)


async def test_the_address_and_the_secret_are_in_no_url(house: House, page: Page, watch: Watch) -> None:
    session = await house.session()
    shop = await embed(house, page, session)
    await shop.checkout.to_payment()
    await shop.checkout.pay()
    await house.becomes(session, "processing")
    await shop.checkout.at("status")
    asked = [request.url for request in watch.requests]
    assert any("/v1/session/orders" in url for url in asked)
    kept = await next(frame for frame in page.frames if "/w/" in frame.url).evaluate("Object.values(localStorage)")
    assert [text[:12] for text in kept if text.startswith("rmp_")] == ["rmp_ws_test_"]
    for secret in (CUSTOMER_ADDRESS, session.client_secret, *kept):
        assert not [url for url in asked if secret in url]
