"""Keys and tokens for one machine."""

import json
import stat

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.minting import create_signing_key, load_signing_key, mint_token
from countersign_platform.auth.verifier import TokenVerifier


def test_only_the_owner_can_read_the_private_key(tmp_path):
    key = create_signing_key(tmp_path / "keys")
    assert stat.S_IMODE(key.key_file.stat().st_mode) == 0o600


def test_the_key_set_holds_no_private_part(tmp_path):
    key = create_signing_key(tmp_path)
    (entry,) = json.loads(key.jwks_file.read_text())["keys"]
    assert set(entry) == {"kty", "crv", "x", "kid", "alg", "use"}


async def test_rotation_keeps_the_tokens_of_the_old_key_valid(tmp_path):
    old = create_signing_key(tmp_path)
    token = mint_token(old, subject="s", roles=["WORKER"])
    new = create_signing_key(tmp_path)
    assert new.kid != old.kid
    verifier = TokenVerifier(JwksSource(str(new.jwks_file)), "countersign", "countersign")
    assert (await verifier.verify(token)).subject == "s"
    assert (await verifier.verify(mint_token(new, subject="t", roles=["RELAY"]))).subject == "t"


def test_a_key_read_again_has_the_same_kid(tmp_path):
    key = create_signing_key(tmp_path)
    assert load_signing_key(key.key_file).kid == key.kid


def test_a_token_can_be_minted_straight_from_the_file(tmp_path):
    key = create_signing_key(tmp_path)
    token = mint_token(key.key_file, subject="s", roles=["VIEWER"], org_slug="acme")
    assert jwt.get_unverified_header(token)["kid"] == key.kid


def test_another_kind_of_key_is_refused(tmp_path):
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "ec.pem").write_bytes(pem)
    with pytest.raises(ValueError, match="Ed25519"):
        load_signing_key(tmp_path / "ec.pem")
