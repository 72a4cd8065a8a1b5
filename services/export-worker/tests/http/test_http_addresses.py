"""No order goes to an address inside, whatever name or form it hides behind."""

import asyncio
import socket

import pytest

from countersign_export_worker.connectors import http_addresses
from countersign_export_worker.connectors.http_addresses import is_public
from countersign_export_worker.errors import DeliveryError, PermanentDeliveryError

DOCUMENT = b"{}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "169.254.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:db8::1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "localhost",
        "",
    ],
)
def test_not_public(address):
    """Loopback, private, link-local, metadata, shared, multicast, reserved; in any clothes."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_public(address):
    """What the internet routes."""
    assert is_public(address)


async def refused(call):
    with pytest.raises(DeliveryError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "2130706433", "127.1"]
)
async def test_an_endpoint_on_this_machine_gets_nothing_unless_allowed(erp, drop_name, host):
    """Not even a connection; the failure is permanent and says which setting allows it."""
    url = f"http://{host}:{erp.server.port}/orders"
    connector = erp.open(url=url, allow_private_addresses=False)
    error = await refused(connector.send(drop_name, DOCUMENT))
    assert isinstance(error, PermanentDeliveryError)
    assert error.code in {"ADDRESS_REFUSED", "BAD_CONFIG"}
    report = await connector.test_connection()
    assert not report.ok
    assert report.failure in {"ADDRESS_REFUSED", "BAD_CONFIG"}
    assert erp.server.connections == 0


@pytest.fixture
def name_service(monkeypatch):
    """Answers for every name what the test puts in, one answer per question.

    127.0.0.1 is public here, and 127.0.0.2 is not.
    """
    answers: list[list[str]] = []
    asked: list[str] = []

    async def getaddrinfo(_loop, host, port, **_options):
        asked.append(host)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, port)) for address in found]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(http_addresses, "is_public", lambda address: address == "127.0.0.1")
    return answers, asked


async def test_a_name_is_asked_for_once_and_what_was_checked_is_used(erp, drop_name, name_service):
    """A name that answers differently a moment later reaches nothing inside."""
    answers, asked = name_service
    answers += [["127.0.0.1"], ["127.0.0.2"]]
    url = f"http://erp.example:{erp.server.port}/orders"
    await erp.open(url=url, allow_private_addresses=False).send(drop_name, DOCUMENT)
    assert asked == ["erp.example"]
    assert erp.received() == [DOCUMENT]


async def test_a_name_with_one_private_address_is_refused(erp, drop_name, name_service):
    """Which of them would be used is chance."""
    answers, _ = name_service
    answers += [["127.0.0.1", "127.0.0.2"]]
    url = f"http://erp.example:{erp.server.port}/orders"
    error = await refused(erp.open(url=url, allow_private_addresses=False).send(drop_name, b"{}"))
    assert error.code == "ADDRESS_REFUSED"
    assert "127.0.0.2" in error.message
    assert erp.server.connections == 0


async def test_every_socket_is_asked_about_though_the_resolver_let_it_pass(
    erp, drop_name, monkeypatch
):
    """The second lock: on the address that is about to be connected to."""

    async def resolve(_self, host, port=0, family=socket.AF_INET):
        del family
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
        return [{**found, "proto": 0, "flags": 0}]

    monkeypatch.setattr(http_addresses.CheckedResolver, "resolve", resolve)
    url = f"http://erp.example:{erp.server.port}/orders"
    error = await refused(erp.open(url=url, allow_private_addresses=False).send(drop_name, b"{}"))
    assert (type(error), error.code) == (PermanentDeliveryError, "ADDRESS_REFUSED")
    assert erp.server.connections == 0


async def test_no_proxy_of_the_environment_is_used(erp, drop_name, monkeypatch):
    """A proxy would connect to where we refuse to."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await erp.connector.send(drop_name, DOCUMENT)
    assert erp.received() == [DOCUMENT]
