"""Saleor's signature: what a real Saleor signed is believed, everything else is not."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_kustom.errors import NotGenuine
from saleor_kustom.intake.signature import key_id, verify
from saleor_kustom.saleor.keys import parse_keys
from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.signing import Signer
from tests.conftest import RECORDINGS

RECORDED = load_recordings(RECORDINGS)
SALEORS = parse_keys(RECORDED.jwks)
SIGNED = [r for r in RECORDED.deliveries if not r.name.startswith("w-hmac")]
SHOP, STRANGER = Signer.new(), Signer.new()
KEYS = parse_keys(json.dumps(SHOP.jwks()))
BODY = b'{"__typename": "FulfillmentCreated"}'
RIGHT = {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": SHOP.kid, "typ": "JWT"}


def encoded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(signer=SHOP, body=BODY, sign=None, **changed):
    """Return a signature by `signer` under a changed header; a value of ... leaves it out."""
    protected = {k: v for k, v in {**RIGHT, **changed}.items() if v is not ...}
    return signed_header(encoded(protected), signer, body, sign)


def signed_header(header, signer=SHOP, body=BODY, sign=None):
    content = f"{header}.".encode() + body
    return f"{header}..{encoded(sign(content) if sign else raw(signer, content))}"


def raw(signer, content, algorithm="RS256"):
    from joserfc.jws import JWSRegistry

    return JWSRegistry.algorithms[algorithm].sign(content, signer.key)


def refusal(signature, body=BODY, keys=KEYS):
    with pytest.raises(NotGenuine) as caught:
        verify(body, signature, keys)
    return caught.value.code


def test_there_are_recordings():
    assert len(SIGNED) > 30


@pytest.mark.parametrize("recording", SIGNED, ids=lambda r: r.name)
def test_what_a_real_saleor_signed_is_believed(recording):
    signature = recording.header("saleor-signature")
    assert verify(recording.body, signature, SALEORS) == recording.body


@pytest.mark.parametrize("recording", SIGNED, ids=lambda r: r.name)
def test_a_recorded_body_that_was_touched_is_refused(recording):
    signature = recording.header("saleor-signature")
    body = recording.body
    touched = [
        body + b" ",
        body[:-1],
        b"",
        body.replace(b"FULFILLED", b"FULFILLEd", 1),
        bytes([body[0] ^ 1]) + body[1:],
        body[:-1] + bytes([body[-1] ^ 1]),
        json.dumps(json.loads(body), separators=(",", ":")).encode(),
    ]
    codes = {refusal(signature, other, SALEORS) for other in touched if other != body}
    assert codes == {"SIGNATURE_WRONG"}


def test_one_recordings_signature_does_not_fit_another():
    first, second = SIGNED[0], SIGNED[-1]
    assert refusal(first.header("saleor-signature"), second.body, SALEORS) == "SIGNATURE_WRONG"


def test_an_hmac_under_a_secret_key_is_refused():
    [recording] = [r for r in RECORDED.deliveries if r.name.startswith("w-hmac")]
    signature = recording.header("saleor-signature")
    assert refusal(signature, recording.body, SALEORS) == "SIGNATURE_MALFORMED"


def test_another_shops_key_does_not_verify():
    recording = SIGNED[0]
    code = refusal(recording.header("saleor-signature"), recording.body, KEYS)
    assert code == "SIGNATURE_KEY_UNKNOWN"


def test_our_own_signature_is_believed():  # else the forgeries below prove nothing
    assert verify(BODY, signed(), KEYS) == BODY


def test_a_large_delivery_is_believed():
    body = b'{"x": "' + b"x" * 2_000_000 + b'"}'
    assert verify(body, SHOP.sign(body), KEYS) == body


def test_a_long_key_verifies():
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(4096, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    long = Signer(key)
    assert verify(BODY, long.sign(BODY), parse_keys(json.dumps(long.jwks()))) == BODY


def test_what_saleor_may_add_to_the_header_is_ignored():
    assert verify(BODY, signed(iat=1, nonce="x"), KEYS) == BODY


def test_any_of_several_keys_verifies():
    keys = parse_keys(json.dumps({"keys": STRANGER.jwks()["keys"] + SHOP.jwks()["keys"]}))
    assert verify(BODY, signed(), keys) == BODY


PEM = SHOP.key.as_pem(private=False)
MODULUS = SHOP.key.as_dict(private=False)["n"].encode()


def hs256(secret):
    return lambda content: hmac.new(secret, content, hashlib.sha256).digest()


FORGERIES = {
    "no signature": "",
    "no JWS": "sha256=abcdef",
    "two parts": signed().replace("..", "."),
    "four parts": signed() + ".x",
    "without header": "." + signed().partition(".")[2],
    "without signature": signed().rpartition(".")[0] + ".",
    "two signatures": f"{signed()},{signed()}",
    "with a space": " " + signed(),
    "with a newline": signed() + "\n",
    "not ASCII": signed() + "å",
    "too long": signed(pad="x" * 4096),
    "header is no base64": signed_header("!!!!"),
    "header is no JSON": signed_header(encoded(b"\x00\xff")),
    "header is a list": signed_header(encoded([RIGHT])),
    "header is a string": signed_header(encoded("RS256")),
    "header is null": signed_header(encoded(b"null")),
    "header is nested junk": signed_header(encoded(b"[" * 2900)),
    "parameter is nested junk": signed_header(encoded(b'{"alg":' + b"[" * 2900)),
    "alg none, unsigned": f"{encoded({**RIGHT, 'alg': 'none'})}..",
    "alg none, signed": signed(alg="none"),
    "alg None": signed(alg=None),
    "alg missing": signed(alg=...),
    "alg in lower case": signed(alg="rs256"),
    "alg a list": signed(alg=["RS256"]),
    "HS256 under the public key as PEM": signed(alg="HS256", sign=hs256(PEM)),
    "HS256 under the modulus": signed(alg="HS256", sign=hs256(MODULUS)),
    "HS256 under an empty secret": signed(alg="HS256", sign=hs256(b"")),
    "RS256 that is an HMAC": signed(sign=hs256(PEM)),
    "RS512 by the shop": signed(alg="RS512", sign=lambda c: raw(SHOP, c, "RS512")),
    "PS256 by the shop": signed(alg="PS256", sign=lambda c: raw(SHOP, c, "PS256")),
    "b64 true": signed(b64=True),
    "b64 missing": signed(b64=...),
    "b64 a string": signed(b64="false"),
    "b64 zero": signed(b64=0),
    "crit missing": signed(crit=...),
    "crit empty": signed(crit=[]),
    "crit of another": signed(crit=["exp"]),
    "crit with more": signed(crit=["b64", "exp"], exp=1),
    "crit twice": signed(crit=["b64", "b64"]),
    "crit a string": signed(crit="b64"),
    "kid missing": signed(kid=...),
    "kid empty": signed(kid=""),
    "kid a number": signed(kid=1),
    "kid of nobody": signed(kid="made-up"),
    "a stranger's key": signed(STRANGER, kid=STRANGER.kid),
    "a stranger's key as the shop's": signed(STRANGER),
    "a stranger's key in the header": signed(
        STRANGER, jwk=STRANGER.key.as_dict(private=False), kid=STRANGER.kid
    ),
    "a stranger's key in the header as the shop's": signed(
        STRANGER, jwk=STRANGER.key.as_dict(private=False)
    ),
    "a link to a stranger's keys": signed(STRANGER, jku="https://evil.example/jwks.json"),
    "a parameter of the wrong type": signed(x5c=5),
    "the signature of nothing": signed(body=b""),
    "the signature of the body alone": f"{encoded(RIGHT)}..{encoded(raw(SHOP, BODY))}",
    "the signature of the body encoded": signed(body=encoded(BODY).encode()),
    "not detached": f"{encoded(RIGHT)}.{encoded(BODY)}.{signed().rpartition('.')[2]}",
    "a whole JWS of the body": SHOP.token({"__typename": "FulfillmentCreated"}),
    "a cut signature": signed()[:-8],
    "zeros": f"{encoded(RIGHT)}..{encoded(bytes(256))}",
    "ones": f"{encoded(RIGHT)}..{encoded(bytes([255]) * 256)}",
    "one byte": f"{encoded(RIGHT)}..AA",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(name):
    assert refusal(FORGERIES[name]).startswith("SIGNATURE_")


@pytest.mark.parametrize(
    "name",
    [n for n in FORGERIES if n.startswith(("alg", "b64", "crit", "not detached", "HS", "PS"))],
)
def test_a_wrong_form_is_refused_before_any_key_is_used(name):
    # The library refuses most of these too; either guard alone is enough.
    with pytest.raises(NotGenuine) as caught:
        key_id(FORGERIES[name])
    assert caught.value.code == "SIGNATURE_MALFORMED"


def test_a_header_that_was_judged_before_is_judged_the_same():
    right, wrong = signed(), FORGERIES["b64 true"]
    for _ in range(2):
        assert verify(BODY, right, KEYS) == BODY
        assert refusal(right, BODY + b" ") == "SIGNATURE_WRONG"
        assert refusal(wrong) == "SIGNATURE_MALFORMED"
    # The header is believed, its key has to be one of the shop that it is asked about.
    others = parse_keys(json.dumps(STRANGER.jwks()))
    assert refusal(right, keys=others) == "SIGNATURE_KEY_UNKNOWN"


def test_the_key_id_is_known_before_the_body_is_read():
    assert key_id(signed()) == SHOP.kid


# A busy machine is no fault of the verifier.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@calm
@given(st.text(max_size=300))
def test_no_text_crashes_the_verifier(text):
    assert refusal(text).startswith("SIGNATURE_")


_JSON = st.sampled_from(
    [None, True, False, 0, -1, 1.5, "", "RS256", "none", "b64", [], ["b64"], [1], {}, {"a": []}]
)
_NAMES = st.sampled_from([*RIGHT, "jwk", "jku", "x5c", "x5u", "x5t", "cty", "enc", "zip"])


@calm
@given(st.dictionaries(_NAMES, _JSON))
def test_no_header_crashes_the_verifier(changed):
    # Signed by a stranger under the shop's key id: whatever the header says, it is refused.
    header = encoded({**RIGHT, **changed})
    assert refusal(f"{header}..{encoded(bytes(256))}").startswith("SIGNATURE_")


@calm
@given(st.binary(max_size=200))
def test_no_header_bytes_crash_the_verifier(header):
    assert refusal(f"{encoded(header)}..AAAA").startswith("SIGNATURE_")
