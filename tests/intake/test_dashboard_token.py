"""The Dashboard's token: only for our app, of this shop, of a staff user who may."""

import base64
import json

import pytest

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import NotGenuine
from saleor_kustom.intake.dashboard_token import token_key_id, verify_token
from saleor_kustom.saleor.keys import parse_keys
from saleor_kustom.sandbox.signing import Signer

SHOP = Shop("https://shop.example/graphql/", "QXBwOjE=", "t")
NOW = 1_800_000_000.0
SALEOR, STRANGER = Signer.new(), Signer.new()
KEYS = parse_keys(json.dumps(SALEOR.jwks()))
CLAIMS = {
    "exp": int(NOW) + 300,
    "iss": SHOP.api_url,
    "owner": "saleor",
    "type": "thirdparty",
    "app": SHOP.app_id,
    "user_id": "VXNlcjox",
    "email": "admin@example.com",
    "is_staff": True,
    "user_permissions": ["MANAGE_ORDERS"],
}


def verified(token, needs="MANAGE_ORDERS"):
    return verify_token(token, KEYS, SHOP, now=NOW, needs=needs)


def refusal(token, needs="MANAGE_ORDERS"):
    with pytest.raises(NotGenuine) as caught:
        verified(token, needs)
    return caught.value.code


def test_a_staff_users_token_is_believed():
    user = verified(SALEOR.token(CLAIMS))
    assert (user.user_id, user.email) == ("VXNlcjox", "admin@example.com")
    assert user.permissions == {"MANAGE_ORDERS"}


def test_a_token_names_its_key():
    assert token_key_id(SALEOR.token(CLAIMS)) == SALEOR.kid


@pytest.mark.parametrize(
    ("claim", "value", "code"),
    [
        ("exp", int(NOW), "TOKEN_EXPIRED"),
        ("exp", None, "TOKEN_EXPIRED"),
        ("exp", "soon", "TOKEN_EXPIRED"),
        ("exp", float("nan"), "TOKEN_EXPIRED"),
        ("exp", float("inf"), "TOKEN_EXPIRED"),
        ("exp", True, "TOKEN_EXPIRED"),
        ("exp", [int(NOW) + 300], "TOKEN_EXPIRED"),
        ("exp", int(NOW) + 32 * 86400, "TOKEN_EXPIRED"),
        ("iss", [SHOP.api_url], "TOKEN_WRONG"),
        ("iss", SHOP.api_url.rstrip("/"), "TOKEN_WRONG"),
        ("owner", None, "TOKEN_WRONG"),
        ("type", "refresh", "TOKEN_WRONG"),
        ("type", None, "TOKEN_WRONG"),
        ("app", ["QXBwOjE="], "TOKEN_WRONG"),
        ("is_staff", None, "TOKEN_WRONG"),
        ("user_permissions", "MANAGE_ORDERS", "PERMISSION_MISSING"),
        ("user_permissions", [["MANAGE_ORDERS"]], "PERMISSION_MISSING"),
        ("user_permissions", {"MANAGE_ORDERS": True}, "PERMISSION_MISSING"),
        ("user_permissions", ["manage_orders"], "PERMISSION_MISSING"),
        ("iss", "https://other.example/graphql/", "TOKEN_WRONG"),
        ("owner", "app", "TOKEN_WRONG"),
        ("type", "access", "TOKEN_WRONG"),
        ("app", "QXBwOjI=", "TOKEN_WRONG"),
        ("app", None, "TOKEN_WRONG"),
        ("is_staff", False, "TOKEN_WRONG"),
        ("is_staff", "true", "TOKEN_WRONG"),
        ("user_permissions", [], "PERMISSION_MISSING"),
        ("user_permissions", None, "PERMISSION_MISSING"),
    ],
)
def test_a_genuine_token_with_a_wrong_claim_is_refused(claim, value, code):
    assert refusal(SALEOR.token({**CLAIMS, claim: value})) == code


def test_looking_is_not_acting():
    assert refusal(SALEOR.token(CLAIMS), needs="HANDLE_PAYMENTS") == "PERMISSION_MISSING"


def test_a_strangers_token_is_refused():
    assert refusal(STRANGER.token(CLAIMS)) == "TOKEN_WRONG"


def test_a_webhooks_signature_is_no_token():
    body = json.dumps(CLAIMS).encode()
    assert refusal(SALEOR.sign(body)).startswith("TOKEN_")
    header, _, signature = SALEOR.sign(body).split(".")
    payload = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    assert refusal(f"{header}.{payload}.{signature}").startswith("TOKEN_")


def test_a_token_without_signature_is_refused():
    header, payload, _ = SALEOR.token(CLAIMS).split(".")
    assert refusal(f"{header}.{payload}.").startswith("TOKEN_")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": SALEOR.kid}).encode()).rstrip(
        b"="
    )
    assert refusal(f"{none.decode()}.{payload}.").startswith("TOKEN_")


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "é", "." * 5, "x" * 20_000])
def test_what_is_no_token_is_refused(token):
    assert refusal(token).startswith("TOKEN_")
