"""The reference: the document is true, complete, and shown without anybody else's server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings

from app.api.auth import is_page
from app.domain.event_types import EVENT_TYPES
from app.main import PUBLIC
from tests.api.front import ADDRESS, QUOTE, Caller, Front
from tests.api.refusals import DOCUMENT, SCOPES
from tests.api.visits import visit

Json = dict[str, Any]
OPERATIONS = [(method, path) for path, item in DOCUMENT["paths"].items() for method in item]
# Where a page has nothing yet but its secret, and what only looks.
WITHOUT_A_KEY = {"/v1/session/exchange"}
CHANGES_NOTHING = {"/v1/session/addresses"}


def operation(where: tuple[str, str]) -> Json:
    """One operation of the document."""
    found: Json = DOCUMENT["paths"][where[1]][where[0]]
    return found


def validator(schema: Json) -> Any:
    """A validator of a part of the document, which may refer to the rest."""
    return jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def test_the_committed_document_is_the_routes() -> None:
    committed = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text())
    assert committed == DOCUMENT


def test_every_route_is_in_the_document() -> None:
    routes = {
        (method.lower(), route.path_format)
        for router in PUBLIC
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    }
    assert routes == set(OPERATIONS)


def test_the_version_and_the_webhooks() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert set(DOCUMENT["webhooks"]) == set(EVENT_TYPES)
    names = [operation(where)["operationId"] for where in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("where", OPERATIONS, ids=" ".join)
def test_every_operation_has_true_examples(where: tuple[str, str]) -> None:
    found = operation(where)
    answers = [answer for status, answer in found["responses"].items() if status.startswith("2")]
    assert len(answers) == 1
    bodies = [found["requestBody"]] if "requestBody" in found else []
    for part in [*answers, *bodies]:
        for media_type, content in part["content"].items():
            if media_type == "application/json":
                validator(content["schema"]).validate(content["example"])
    if where[1].startswith("/v1/"):
        assert {"4XX", "5XX"} <= set(found["responses"])
        assert found.get("security") or where[1] in WITHOUT_A_KEY
    if where[0] == "post" and where[1] not in WITHOUT_A_KEY | CHANGES_NOTHING:
        assert "Idempotency-Key" in [parameter["name"] for parameter in found["parameters"]]


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_event_has_a_true_example(kind: str) -> None:
    content = DOCUMENT["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
    validator(content["schema"]).validate(content["example"])
    assert content["example"]["type"] == kind


def test_nothing_in_the_document_is_a_number_with_a_point() -> None:
    def floats(value: object) -> bool:
        if isinstance(value, dict):
            return value.get("type") == "number" or any(map(floats, value.values()))
        return any(map(floats, value)) if isinstance(value, list) else isinstance(value, float)

    assert not floats(DOCUMENT)


async def test_answers_are_what_the_document_says(caller: Caller) -> None:
    order = await caller.order(metadata={"a": "b"}, customer={"email": "ada@example.com"})
    endpoint = {"url": "https://shop.example.com/hooks", "event_types": ["*"]}
    made = (await caller.post("/v1/webhook_endpoints", endpoint, key="key")).json()
    browser = await visit(caller)
    seen = 0
    for method, path in OPERATIONS:
        real = path.replace("{order_id}", str(order["id"])).replace("{quote_id}", str(order["quote_id"]))
        real = real.replace("{endpoint_id}", made["id"]).replace("{key}", "key")
        if method != "get" or "{" in real or real.endswith("/stream"):
            continue
        response = await (browser.get() if real == "/v1/session" else caller.get(real))
        assert response.status_code == 200, real
        content = operation((method, path))["responses"]["200"]["content"]["application/json"]
        validator(content["schema"]).validate(response.json())
        seen += 1
    assert seen > 15
    quote = await caller.post("/v1/quotes", QUOTE)
    validator({"$ref": "#/components/schemas/QuoteOut"}).validate(quote.json())
    placed = await caller.post("/v1/orders", {"quote_id": quote.json()["id"], "destination": {"address": ADDRESS}})
    validator({"$ref": "#/components/schemas/OrderOut"}).validate(placed.json())
    problem = await caller.post("/v1/orders", {"quote_id": 1, "x": 2})
    validator({"$ref": "#/components/schemas/Problem"}).validate(problem.json())


async def test_the_page_works_offline(front: Front) -> None:
    page = await front.http.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "//" not in page.text.replace("<!doctype", "")
    assert not re.search(r"\son\w+=|style=|<script>", page.text)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert (await front.http.get(path)).status_code == 200, path
    script = (await front.http.get("/docs/reference.js")).text
    assert "innerHTML" not in script
    assert "eval" not in script
    assert (await front.http.get("/openapi.json")).json() == DOCUMENT
    for path in ("/redoc", "/docs/oauth2-redirect"):
        assert (await front.http.get(path)).status_code == 404


def test_scopes_are_of_the_known_families() -> None:
    assert {scope.partition(":")[0] for scope in SCOPES.values()} == {
        "quotes",
        "orders",
        "ledger",
        "webhooks",
        "events",
        "simulate",
        "external_accounts",
        "payouts",
        "deposits",
        "sessions",
        "admin",
    }


CASES = schemathesis.openapi.from_dict(DOCUMENT)
SHORT = [where for where in OPERATIONS if not where[1].endswith("/stream") and where[1] != "/healthz/ready"]
GENERATE = settings(
    max_examples=15,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def generated(where: tuple[str, str]) -> list[Json]:
    """Requests made from the document by schemathesis, always the same ones."""
    made: list[Json] = []

    @GENERATE
    @given(case=CASES[where[1]][where[0].upper()].as_strategy())
    def collect(case: schemathesis.Case) -> None:
        made.append(case.as_transport_kwargs(base_url="http://rampwright.test"))

    collect()
    return made


@pytest.mark.parametrize("where", SHORT, ids=" ".join)
async def test_generated_requests_are_answered_as_documented(
    front: Front, caller: Caller, where: tuple[str, str]
) -> None:
    documented = operation(where)["responses"]
    headers = (await visit(caller)).headers if is_page(where[1]) else caller.headers
    for request in generated(where):
        response = await front.http.request(
            request["method"],
            request["url"],
            params=request.get("params"),
            headers=dict(request.get("headers") or {}) | headers,
            json=request.get("json"),
        )
        assert response.status_code < 500, response.text
        assert not {str(response.status_code), f"{response.status_code // 100}XX"}.isdisjoint(documented)
        if response.status_code >= 400:
            validator({"$ref": "#/components/schemas/Problem"}).validate(response.json())
