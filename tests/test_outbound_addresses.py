"""Where private addresses are refused, it is the address connected to that is judged."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom import outbound
from saleor_kustom.outbound import NotSent, Outbound, is_public
from tests.serving import Serving, answer

PUBLIC, PUBLIC_6 = "93.184.216.34", "2606:2800:220:1::1"
OK = answer(b"ok")
UNKNOWN = None


class Internet:
    """Names lead where a test says; public addresses lead to a port on loopback."""

    def __init__(self):
        self.names = {}  # each name: lists of addresses, one for each time that it is asked
        self.asked, self.connected, self.waited_s = [], [], []
        self.unreachable = set()
        self.slow_s = 0.0

    async def resolve(self, _loop, host, port, **_options):
        self.asked.append(host)
        await asyncio.sleep(self.slow_s)
        answers = self.names.get(host, [[host]])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if addresses is UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]

    async def connect(self, backend, host, *args, **options):
        self.connected.append(host)
        self.waited_s.append(options["timeout"] if "timeout" in options else args[1])
        if host in self.unreachable:
            raise httpcore.ConnectTimeout("swallowed")
        return await self.real_connect(backend, "127.0.0.1", *args, **options)


@pytest.fixture
def internet(monkeypatch):
    made = Internet()
    backend = httpcore.AnyIOBackend
    made.real_connect = backend.connect_tcp

    async def resolve(loop, host, port, **options):
        return await made.resolve(loop, host, port, **options)

    async def connect(self, host, *args, **options):
        return await made.connect(self, host, *args, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    monkeypatch.setattr(backend, "connect_tcp", connect)
    return made


async def ask(url, **options):
    outbound = Outbound(allow_private_hosts=False, **options)
    try:
        return (await outbound.request("GET", url)).body
    finally:
        await outbound.aclose()


async def refused(url, **options):
    with pytest.raises(NotSent) as raised:
        await ask(url, **options)
    return str(raised.value)


async def test_a_name_with_public_addresses_is_called_at_one_of_them(internet):
    internet.names["shop.test"] = [[PUBLIC, PUBLIC]]
    async with Serving(OK) as there:
        assert await ask(f"http://shop.test:{there.port}/") == b"ok"
    assert internet.connected == [PUBLIC]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["::1"], [PUBLIC, "192.168.0.1"],
     ["fd00:ec2::254", PUBLIC], [], UNKNOWN],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_with_any_other_address_is_not_called_at_all(internet, scheme, addresses):
    internet.names["shop.test"] = [addresses]
    await refused(f"{scheme}://shop.test/")
    assert internet.connected == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.1.2.3"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_private_address_in_the_url_is_not_called(internet, scheme, host):
    assert "not public" in await refused(f"{scheme}://{host}/")
    assert internet.connected == []


async def test_a_name_that_turns_private_between_two_questions_gains_nothing(internet):
    internet.names["shop.test"] = [[PUBLIC], ["127.0.0.1"]]
    async with Serving(OK) as there:
        assert await ask(f"http://shop.test:{there.port}/") == b"ok"
        assert internet.asked == ["shop.test"]  # once: there is no second answer to differ
        await refused(f"http://shop.test:{there.port}/")
    assert internet.connected == [PUBLIC]


async def test_the_other_family_is_tried_when_the_first_address_swallows_everything(internet):
    internet.names["shop.test"] = [[PUBLIC_6, PUBLIC]]
    internet.unreachable.add(PUBLIC_6)
    async with Serving(OK) as there:
        assert await ask(f"http://shop.test:{there.port}/") == b"ok"
    assert internet.connected == [PUBLIC_6, PUBLIC]
    assert internet.waited_s == [2.5, 2.5]  # of 5 s for connecting


async def test_a_resolver_that_hangs_counts_as_connecting(internet):
    internet.names["shop.test"], internet.slow_s = [[PUBLIC]], 60.0
    assert "ConnectTimeout" in await refused("http://shop.test/", connect_s=0.1)


def certified(name, folder):
    """Return a server's TLS settings for a name, and the file of the authority behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context, folder / "certificate.pem"


@pytest.mark.parametrize("host", ["shop.test", "other.test"])
async def test_tls_verifies_the_name_and_not_the_address(internet, tmp_path, monkeypatch, host):
    internet.names |= {"shop.test": [[PUBLIC]], "other.test": [[PUBLIC]]}
    context, authority = certified("shop.test", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setattr(outbound, "_trusted", ssl.create_default_context)  # read anew
    async with Serving(OK, ssl=context) as there:
        if host == "shop.test":
            assert await ask(f"https://{host}:{there.port}/") == b"ok"
        else:
            assert "Hostname mismatch" in await refused(f"https://{host}:{there.port}/")
    assert internet.connected == [PUBLIC]


async def test_a_certificate_of_nobodys_authority_is_not_believed(internet, tmp_path):
    internet.names["shop.test"] = [[PUBLIC]]
    context, _ = certified("shop.test", tmp_path)
    async with Serving(OK, ssl=context) as there:
        assert "self-signed" in await refused(f"https://shop.test:{there.port}/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "100.100.100.200", "0.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.192",
        "168.63.129.16", "198.18.0.1", "192.0.2.1", "203.0.113.1", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001:db8::1",
        "100::1", "3fff::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_an_address_that_is_nobodys_public_host_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450::1", "64:ff9b::5db8:d822",
     "::ffff:93.184.216.34"],
)  # fmt: skip
def test_a_public_address_is_public(address):
    assert is_public(address)


@given(inner=st.ip_addresses(v=4))
def test_no_wrapping_makes_a_private_address_public(inner):
    number = int(inner)
    wrapped = [
        f"::ffff:{inner}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
    ]
    assert {is_public(address) for address in wrapped} == {is_public(str(inner))}
