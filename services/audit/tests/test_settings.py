"""A wrong setting stops the start with one line that says which and why."""

import pytest
from pydantic import SecretStr

from countersign_audit.seal_keys import PublicKeys
from countersign_audit.settings import AuditSettings
from countersign_platform.settings import load


@pytest.fixture
def environment(monkeypatch, signing_key):
    monkeypatch.setenv("COUNTERSIGN_JWKS", "jwks.json")
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", "postgresql://u:p@db/countersign")
    monkeypatch.setenv("COUNTERSIGN_AUDIT_SIGNING_KEY", signing_key)
    return monkeypatch


def _line(capsys) -> str:
    with pytest.raises(SystemExit) as stopped:
        load(AuditSettings)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_key_comes_from_a_file_as_well(environment, tmp_path, new_pem):
    environment.delenv("COUNTERSIGN_AUDIT_SIGNING_KEY")
    (tmp_path / "key.pem").write_text(new_pem)
    environment.setenv("COUNTERSIGN_AUDIT_SIGNING_KEY_FILE", str(tmp_path / "key.pem"))
    assert load(AuditSettings).sealing_key.sign(b"x")


def test_a_missing_key_stops_the_start(environment, capsys):
    environment.delenv("COUNTERSIGN_AUDIT_SIGNING_KEY")
    assert _line(capsys) == "countersign: setting COUNTERSIGN_AUDIT_SIGNING_KEY: is required"


@pytest.mark.parametrize("text", ["secret", "-----BEGIN PRIVATE KEY-----"])
def test_a_malformed_key_stops_the_start_and_is_not_shown(environment, capsys, text):
    environment.setenv("COUNTERSIGN_AUDIT_SIGNING_KEY", text)
    line = _line(capsys)
    assert line.startswith("countersign: setting COUNTERSIGN_AUDIT_SIGNING_KEY: must be an Ed25519")
    assert text not in line


@pytest.mark.parametrize("content", [None, "{}", "not json"])
def test_old_keys_that_cannot_be_read_stop_the_start(environment, capsys, tmp_path, content):
    if content is not None:
        (tmp_path / "keys.json").write_text(content)
    environment.setenv("COUNTERSIGN_AUDIT_KEYS", str(tmp_path / "keys.json"))
    assert _line(capsys).startswith("countersign: setting COUNTERSIGN_AUDIT_KEYS: ")


def test_old_keys_stay_known_behind_the_one_that_signs_now(environment, tmp_path, key, new_pem):
    (tmp_path / "keys.json").write_text(PublicKeys({}).with_key(key).to_json())
    environment.setenv("COUNTERSIGN_AUDIT_KEYS", str(tmp_path / "keys.json"))
    environment.setenv("COUNTERSIGN_AUDIT_SIGNING_KEY", new_pem)
    settings = load(AuditSettings)
    ids = [each["kid"] for each in settings.public_keys.to_jwks()["keys"]]
    assert ids == [settings.sealing_key.key_id, key.key_id]


def test_a_database_of_its_own_goes_before_the_shared_one(environment):
    environment.setenv("COUNTERSIGN_AUDIT_DATABASE_URL", "postgresql://u:p@trail/audit")
    assert load(AuditSettings).database_url == SecretStr("postgresql://u:p@trail/audit")
    environment.delenv("COUNTERSIGN_DATABASE_URL")
    assert load(AuditSettings).database_url == SecretStr("postgresql://u:p@trail/audit")


def test_the_shared_database_is_the_one_without_it(environment):
    assert load(AuditSettings).database_url == SecretStr("postgresql://u:p@db/countersign")


def test_its_own_database_comes_from_a_file_as_well(environment, tmp_path):
    (tmp_path / "url").write_text("postgresql://u:p@trail/audit\n")
    environment.setenv("COUNTERSIGN_AUDIT_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert load(AuditSettings).database_url == SecretStr("postgresql://u:p@trail/audit")


def test_no_database_at_all_stops_the_start(environment, capsys):
    environment.delenv("COUNTERSIGN_DATABASE_URL")
    assert "COUNTERSIGN_DATABASE_URL: is required" in _line(capsys)


def test_less_than_a_year_of_retention_stops_the_start(environment, capsys):
    environment.setenv("COUNTERSIGN_AUDIT_RETENTION_DAYS", "364")
    expected = "countersign: setting COUNTERSIGN_AUDIT_RETENTION_DAYS: must be 365 days or more"
    assert _line(capsys) == expected


def test_nothing_is_removed_unless_told(environment):
    assert load(AuditSettings).audit_retention_days is None
    environment.setenv("COUNTERSIGN_AUDIT_RETENTION_DAYS", "365")
    assert load(AuditSettings).audit_retention_days == 365
