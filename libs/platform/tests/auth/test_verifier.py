"""A token is believed only if every part of it holds."""

import base64
import json
import time
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_core.roles import Role
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.minting import create_signing_key, mint_token
from countersign_platform.auth.verifier import MAX_TOKEN_CHARACTERS, TokenVerifier

ORG = UUID("6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11")


def claims(**changes):
    now = int(time.time())
    good = {
        "iss": "countersign",
        "aud": "countersign",
        "sub": "anna",
        "exp": now + 60,
        "org_id": str(ORG),
        "roles": ["OPERATOR"],
    }
    return {key: value for key, value in (good | changes).items() if value is not None}


async def refusal(verifier, token) -> str:
    with pytest.raises(CountersignError) as caught:
        await verifier.verify(token)
    assert caught.value.reason is Reason.UNAUTHENTICATED
    return caught.value.message


async def test_a_good_token_names_subject_roles_and_org(verifier, mint):
    token = mint(subject="anna", roles=["OPS", "VIEWER"], org_id=ORG, org_slug="acme")
    identity = await verifier.verify(token)
    assert identity.subject == "anna"
    assert identity.roles == {Role.OPERATOR, Role.VIEWER}
    assert identity.org_id == ORG
    assert identity.org_slug == "acme"


async def test_the_org_slug_defaults_to_the_org_id(verifier, mint):
    assert (await verifier.verify(mint(org_id=ORG))).org_slug == str(ORG)


async def test_unknown_roles_authenticate_but_grant_nothing(verifier, mint):
    identity = await verifier.verify(mint(roles=["EMPEROR"], org_id=ORG))
    assert identity.roles == frozenset()


async def test_ready_means_that_there_are_keys(verifier, tmp_path):
    assert await verifier.ready()
    without = TokenVerifier(JwksSource(str(tmp_path / "none.json")), "countersign", "countersign")
    assert not await without.ready()


async def test_service_tokens_need_no_org(verifier, mint):
    identity = await verifier.verify(mint(subject="worker-1", roles=["WORKER"], org_id=None))
    assert identity.org_id is None
    assert identity.roles == {Role.WORKER}


@pytest.mark.parametrize("roles", [["OPERATOR"], ["WORKER", "ADMIN"], [], ["EMPEROR"]])
async def test_a_users_token_without_an_org_is_refused(verifier, mint, roles):
    assert "org_id" in await refusal(verifier, mint(roles=roles, org_id=None))


async def test_nobody_of_one_org_can_hold_a_service_role(verifier, mint):
    """WORKER reads every tenant's exports; an org's own administrator must not grant it."""
    identity = await verifier.verify(mint(roles=["WORKER", "RELAY", "ADMIN"], org_id=ORG))
    assert identity.roles == {Role.ADMIN}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "someone-else"},
        {"aud": "another-service"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iss": None},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 201},
        {"sub": 7},
        {"sub": "a\x00b"},
        {"sub": "a\nb"},
        {"org_slug": "a\nb"},
        {"org_slug": {"a": 1}},
        {"org_slug": "x" * 201},
        {"nbf": 32_503_680_000},
        {"org_id": "not-a-uuid"},
        {"org_id": 7},
        {"org_id": ["6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11"]},
        {"roles": "ADMIN"},
        {"roles": [7]},
        {"roles": {"ADMIN": True}},
    ],
    ids=str,
)
async def test_one_wrong_claim_is_enough_to_refuse(verifier, forge, changes):
    await verifier.verify(forge(claims()))
    await refusal(verifier, forge(claims(**changes)))


async def test_alg_none_is_refused(verifier, signing_key):
    token = jwt.encode(claims(), key=None, algorithm="none", headers={"kid": signing_key.kid})
    await refusal(verifier, token)


async def test_the_public_key_does_not_serve_as_an_hmac_secret(verifier, signing_key):
    """The classic confusion: HS256 with what everybody can read."""
    public = signing_key.private_key.public_key()
    secret = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    header = {"alg": "HS256", "typ": "JWT", "kid": signing_key.kid}
    signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims()))
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    token = f"{signed}.{b64(mac.sign(signed.encode(), secret))}"
    assert "algorithm" in await refusal(verifier, token)


async def test_a_changed_payload_is_refused(verifier, mint):
    head, payload, signature = mint(roles=["VIEWER"]).split(".")
    body = json.loads(base64.urlsafe_b64decode(payload + "=="))
    body["roles"] = ["ADMIN"]
    token = ".".join((head, b64(json.dumps(body).encode()), signature))
    assert "signature" in await refusal(verifier, token)


async def test_a_token_signed_by_a_stranger_under_our_kid_is_refused(
    verifier, signing_key, tmp_path
):
    stranger = create_signing_key(tmp_path / "stranger")
    token = jwt.encode(
        claims(), stranger.private_key, algorithm="EdDSA", headers={"kid": signing_key.kid}
    )
    assert "signature" in await refusal(verifier, token)


async def test_a_token_without_kid_is_refused(verifier, signing_key):
    token = jwt.encode(claims(), signing_key.private_key, algorithm="EdDSA")
    assert "kid" in await refusal(verifier, token)


async def test_an_overlong_token_is_refused_unread(verifier):
    assert "long" in await refusal(verifier, "a" * (MAX_TOKEN_CHARACTERS + 1))


async def test_a_deeply_nested_header_is_malformed_and_no_crash(verifier):
    token = b64(b'{"kid":' + b"[" * 5000) + ".e30.c2ln"
    assert "malformed" in await refusal(verifier, token)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    token=st.one_of(st.text(max_size=200), st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
)
def test_whatever_text_comes_is_refused_politely(verifier, token):
    """Driven by hand: no text makes the verifier wait for anything but the key file."""

    async def check() -> None:
        await refusal(verifier, token)

    import asyncio  # noqa: PLC0415 — a loop of its own per example

    asyncio.run(check())


async def test_a_verified_token_is_not_verified_again_until_it_expires(signing_key, monkeypatch):
    now = [time.time()]
    verifier = TokenVerifier(
        JwksSource(str(signing_key.jwks_file)),
        "countersign",
        "countersign",
        wall_clock=lambda: now[0],
    )
    token = mint_token(
        signing_key, subject="anna", roles=["VIEWER"], org_id=ORG, lifetime_seconds=60
    )
    decoded = []
    real = jwt.decode
    monkeypatch.setattr(jwt, "decode", lambda *a, **k: decoded.append(1) or real(*a, **k))
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    assert len(decoded) == 1
    now[0] += 61
    await verifier.verify(token)  # within the leeway, by PyJWT's own clock
    assert len(decoded) == 2


async def test_the_memory_of_verified_tokens_is_bounded(signing_key):
    verifier = TokenVerifier(
        JwksSource(str(signing_key.jwks_file)), "countersign", "countersign", cache_size=3
    )
    for _ in range(10):
        await verifier.verify(
            mint_token(signing_key, subject=str(uuid4()), roles=["VIEWER"], org_id=ORG)
        )
    assert len(verifier._cache) == 3


async def test_a_key_that_leaves_the_set_takes_its_tokens_with_it(signing_key, clock, mint):
    verifier = TokenVerifier(
        JwksSource(str(signing_key.jwks_file), clock=clock), "countersign", "countersign"
    )
    old = mint()
    await verifier.verify(old)
    entries = json.loads(signing_key.jwks_file.read_text())["keys"]
    create_signing_key(signing_key.key_file.parent)
    kept = [
        entry
        for entry in json.loads(signing_key.jwks_file.read_text())["keys"]
        if entry not in entries
    ]
    signing_key.jwks_file.write_text(json.dumps({"keys": kept}))
    clock.now += 2
    assert "not known" in await refusal(verifier, old)


@pytest.mark.parametrize(
    ("algorithm", "state_it"), [("ES256", True), ("RS256", True), ("RS256", False)]
)
async def test_tokens_of_other_providers_verify(tmp_path, algorithm, state_it):
    """RS256 and ES256 keys work, also where the provider leaves `alg` out of the set."""
    private, entry = provider_key(algorithm)
    if state_it:
        entry["alg"] = algorithm
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [entry]}))
    verifier = TokenVerifier(JwksSource(str(tmp_path / "jwks.json")), "countersign", "countersign")
    token = jwt.encode(claims(), private, algorithm=algorithm, headers={"kid": "k1"})
    assert (await verifier.verify(token)).subject == "anna"


async def test_an_algorithm_that_is_switched_off_is_refused(tmp_path):
    private, entry = provider_key("RS256")
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [entry]}))
    verifier = TokenVerifier(
        JwksSource(str(tmp_path / "jwks.json")), "countersign", "countersign", ["EdDSA"]
    )
    token = jwt.encode(claims(), private, algorithm="RS256", headers={"kid": "k1"})
    assert "algorithm" in await refusal(verifier, token)


async def test_a_key_serves_only_its_own_algorithm(tmp_path):
    """An RSA key of the set does not verify PS256 or RS512, however well they are signed."""
    private, entry = provider_key("RS256")
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [entry]}))
    verifier = TokenVerifier(JwksSource(str(tmp_path / "jwks.json")), "countersign", "countersign")
    for algorithm in ("RS512", "PS256"):
        token = jwt.encode(claims(), private, algorithm=algorithm, headers={"kid": "k1"})
        assert "algorithm" in await refusal(verifier, token)


def provider_key(algorithm):
    if algorithm == "RS256":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        entry = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
        entry = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    entry.pop("key_ops", None)
    return private, {**entry, "kid": "k1"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
