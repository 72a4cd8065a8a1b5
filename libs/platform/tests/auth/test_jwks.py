"""Keys change without a restart, and nobody can make us hammer their server."""

import asyncio
import json
import os

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from countersign_core.errors import Unavailable
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.minting import create_signing_key, public_jwk
from countersign_platform.auth.verification_key import parse_key_set

URL = "https://identity.example/jwks"


def entry_of(key):
    return public_jwk(key.private_key.public_key())


@pytest.fixture
def source(key_server, clock, signing_key) -> JwksSource:
    key_server.entries = [entry_of(signing_key)]
    return JwksSource(URL, clock=clock, fetch=key_server)


async def test_a_url_is_fetched_once_and_then_remembered(source, key_server, signing_key):
    assert (await source.find(signing_key.kid)).kid == signing_key.kid
    first = await source.keys()
    assert await source.keys() is first
    assert key_server.asked == 1


async def test_many_at_once_cause_one_fetch(source, key_server, signing_key):
    found = await asyncio.gather(*(source.find(signing_key.kid) for _ in range(20)))
    assert all(key is not None for key in found)
    assert key_server.asked == 1


async def test_a_flood_of_unknown_kids_costs_one_fetch_per_cool_down(source, key_server, clock):
    await source.keys()
    clock.now += 31
    for number in range(500):
        assert await source.find(f"made-up-{number}") is None
    assert key_server.asked == 2
    clock.now += 31
    for number in range(500):
        assert await source.find(f"made-up-{number}") is None
    assert key_server.asked == 3


async def test_one_unknown_kid_is_not_asked_for_after_every_cool_down(source, key_server, clock):
    await source.keys()
    for _ in range(3):
        clock.now += 31
        assert await source.find("made-up") is None
    assert key_server.asked == 2


async def test_the_memory_of_unknown_kids_is_bounded(source, clock):
    await source.keys()
    for number in range(1500):
        source._remember_unknown(str(number))
    assert len(source._unknown) == 1024


async def test_a_new_key_is_found_after_the_cool_down(source, key_server, clock, tmp_path):
    await source.keys()
    new = create_signing_key(tmp_path / "new")
    key_server.entries.append(entry_of(new))
    assert await source.find(new.kid) is None  # within the cool-down
    clock.now += 31
    assert (await source.find(new.kid)).kid == new.kid


async def test_the_last_good_set_serves_while_the_server_is_down(
    source, key_server, clock, signing_key
):
    await source.keys()
    key_server.down = True
    clock.now += 3600
    assert (await source.find(signing_key.kid)).kid == signing_key.kid
    await settle(source)
    assert key_server.asked == 2
    assert (await source.find(signing_key.kid)).kid == signing_key.kid
    assert key_server.asked == 2, "a server that is down is not asked again at once"


async def test_an_old_set_is_renewed_in_the_background(source, key_server, clock, signing_key):
    await source.keys()
    key_server.entries = [{**key_server.entries[0], "kid": "renamed"}]
    clock.now += 301
    assert await source.find(signing_key.kid) is not None, "nobody waits for the renewal"
    await settle(source)
    assert await source.find("renamed") is not None
    assert await source.find(signing_key.kid) is None


async def test_no_set_at_all_is_unavailable_and_not_a_bad_token(source, key_server, clock):
    key_server.down = True
    with pytest.raises(Unavailable):
        await source.find("any")
    with pytest.raises(Unavailable):
        await source.find("any")
    assert key_server.asked == 1
    key_server.down = False
    clock.now += 2
    assert await source.keys()


async def test_a_set_without_a_usable_key_does_not_replace_a_good_one(
    source, key_server, clock, signing_key
):
    await source.keys()
    key_server.entries = [{"kty": "oct", "kid": "k", "k": "c2VjcmV0"}]
    clock.now += 301
    await source.keys()
    await settle(source)
    assert (await source.find(signing_key.kid)).kid == signing_key.kid


async def test_a_changed_file_is_read_again(tmp_path, clock):
    first = create_signing_key(tmp_path)
    source = JwksSource(str(first.jwks_file), clock=clock)
    assert await source.find(first.kid)
    second = create_signing_key(tmp_path)
    assert await source.find(second.kid), "an unknown kid makes us look at once"
    first_only = {"keys": [entry_of(first)]}
    first.jwks_file.write_text(json.dumps(first_only))
    os.utime(first.jwks_file, ns=(1, 1))
    clock.now += 1
    assert await source.find(second.kid) is None


async def test_a_file_that_is_gone_or_broken_leaves_the_last_good_set(signing_key, clock):
    source = JwksSource(str(signing_key.jwks_file), clock=clock)
    await source.keys()
    signing_key.jwks_file.write_text("{")
    clock.now += 2
    assert await source.find(signing_key.kid)
    signing_key.jwks_file.unlink()
    clock.now += 2
    assert await source.find(signing_key.kid)


@pytest.fixture
async def key_site():
    """A real HTTP server; `reply` can be changed."""
    site = KeySite()
    runner = web.AppRunner(site.app(), access_log=None)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


class KeySite:
    def __init__(self) -> None:
        self.url = ""
        self.document = {"keys": []}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/jwks", self.jwks)
        app.router.add_get("/moved", self.moved)
        app.router.add_get("/huge", self.huge)
        return app

    async def jwks(self, request):
        return web.json_response(self.document)

    async def moved(self, request):
        raise web.HTTPFound("/jwks")

    async def huge(self, request):
        return web.Response(body=b" " * (2 << 20))


async def test_keys_are_fetched_over_http(key_site, signing_key):
    key_site.document = {"keys": [entry_of(signing_key)]}
    source = JwksSource(f"{key_site.url}/jwks")
    assert (await source.find(signing_key.kid)).algorithm == "EdDSA"


@pytest.mark.parametrize("path", ["moved", "huge", "missing"])
async def test_redirects_errors_and_huge_replies_are_no_key_sets(key_site, signing_key, path):
    key_site.document = {"keys": [entry_of(signing_key)]}
    with pytest.raises(Unavailable):
        await JwksSource(f"{key_site.url}/{path}").keys()


def test_keys_of_other_kinds_are_left_out(signing_key):
    good = entry_of(signing_key)
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    document = {
        "keys": [
            good,
            {"kty": "oct", "kid": "hmac", "k": "c2VjcmV0", "alg": "HS256"},
            {**good, "kid": "wrong-alg", "alg": "RS256"},
            {**good, "kid": "encryption", "use": "enc"},
            {**good, "kid": "broken", "x": "!"},
            {**good, "kid": ""},
            {**RSAAlgorithm.to_jwk(weak, as_dict=True), "kid": "weak", "key_ops": ["verify"]},
            "nonsense",
            None,
        ]
    }
    assert set(parse_key_set(document)) == {signing_key.kid}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": []}, {"keys": [{}]}])
def test_what_is_no_key_set_is_refused(document):
    with pytest.raises(ValueError, match=r"[sS]et$"):
        parse_key_set(document)


async def settle(source: JwksSource) -> None:
    if source._refreshing is not None:
        await source._refreshing
