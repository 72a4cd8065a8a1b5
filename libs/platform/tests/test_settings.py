"""A wrong setting stops the start, says which and why, and shows no secret."""

import subprocess
import sys
from pathlib import Path

import pytest

from countersign_platform.settings import (
    BrokerSettings,
    DatabaseSettings,
    RedisSettings,
    ServiceSettings,
    ServiceTokenSettings,
    load,
)


class Everything(
    ServiceSettings, DatabaseSettings, BrokerSettings, RedisSettings, ServiceTokenSettings
):
    """What the hungriest service reads."""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """A good environment; tests spoil it."""
    for name in list(__import__("os").environ):
        if name.startswith("COUNTERSIGN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COUNTERSIGN_JWKS", "/keys/jwks.json")
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", "postgresql://u:p4ssw0rd@db/countersign")
    monkeypatch.setenv("COUNTERSIGN_SERVICE_TOKEN_FILE", "/run/secrets/token")
    return monkeypatch


def lines_of_failed_load(capsys) -> list[str]:
    with pytest.raises(SystemExit) as caught:
        load(Everything)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "p4ssw0rd" not in err
    return err.splitlines()


def test_a_good_environment_loads():
    settings = load(Everything)
    assert settings.jwks == "/keys/jwks.json"
    assert settings.database_url.get_secret_value().startswith("postgresql://u:")
    assert settings.broker_url is None
    assert settings.service_token_file == Path("/run/secrets/token")
    assert settings.jwt_algorithms == ("EdDSA", "ES256", "RS256")


def test_any_setting_can_come_from_a_file(environment, tmp_path):
    (tmp_path / "url").write_text("postgresql://from:file@db/x\r\n")
    (tmp_path / "size").write_text("17\n")
    environment.delenv("COUNTERSIGN_DATABASE_URL")
    environment.setenv("COUNTERSIGN_DATABASE_URL_FILE", str(tmp_path / "url"))
    environment.setenv("COUNTERSIGN_DATABASE_POOL_SIZE_FILE", str(tmp_path / "size"))
    settings = load(Everything)
    assert settings.database_url.get_secret_value() == "postgresql://from:file@db/x"
    assert settings.database_pool_size == 17


def test_only_the_line_end_is_cut_from_a_secret(environment, tmp_path):
    (tmp_path / "url").write_text("amqp://u: p @host/ \n")
    environment.setenv("COUNTERSIGN_BROKER_URL_FILE", str(tmp_path / "url"))
    assert load(Everything).broker_url.get_secret_value() == "amqp://u: p @host/ "


def test_a_missing_setting_is_named(environment, capsys):
    environment.delenv("COUNTERSIGN_JWKS")
    assert lines_of_failed_load(capsys) == ["countersign: setting COUNTERSIGN_JWKS: is required"]


def test_each_wrong_setting_has_its_line(environment, capsys):
    environment.setenv("COUNTERSIGN_LISTEN", "nowhere")
    environment.setenv("COUNTERSIGN_DRAIN_SECONDS", "soon")
    environment.setenv("COUNTERSIGN_LOG_FORMAT", "xml")
    environment.setenv("COUNTERSIGN_JWT_ALGORITHMS", "HS256")
    lines = lines_of_failed_load(capsys)
    for name in ("LISTEN", "DRAIN_SECONDS", "LOG_FORMAT", "JWT_ALGORITHMS"):
        assert len([line for line in lines if f"COUNTERSIGN_{name}:" in line]) == 1
    assert len(lines) == 4


def test_a_secret_file_that_cannot_be_read_is_named(environment, capsys, tmp_path):
    environment.setenv("COUNTERSIGN_BROKER_URL_FILE", str(tmp_path / "missing"))
    (line,) = lines_of_failed_load(capsys)
    assert line.startswith("countersign: setting COUNTERSIGN_BROKER_URL_FILE: cannot read ")
    assert line.endswith("No such file or directory")


def test_a_binary_secret_file_is_refused(environment, capsys, tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    environment.setenv("COUNTERSIGN_BROKER_URL_FILE", str(tmp_path / "key"))
    (line,) = lines_of_failed_load(capsys)
    assert line.endswith("is not UTF-8 text")


def test_a_setting_given_twice_is_refused(environment, capsys, tmp_path):
    (tmp_path / "url").write_text("postgresql://other")
    environment.setenv("COUNTERSIGN_DATABASE_URL_FILE", str(tmp_path / "url"))
    (line,) = lines_of_failed_load(capsys)
    assert "COUNTERSIGN_DATABASE_URL_FILE: is set beside COUNTERSIGN_DATABASE_URL" in line


def test_no_secret_shows_in_the_settings_own_text():
    assert "p4ssw0rd" not in repr(load(Everything))


def test_a_process_with_a_wrong_setting_exits_with_two():
    """The whole of it, as a shell sees it."""
    code = (
        "from countersign_platform.settings import ServiceSettings, load\nload(ServiceSettings)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={}, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "countersign: setting COUNTERSIGN_JWKS: is required\n"


@pytest.mark.parametrize("given", ["EdDSA,ES256", " EdDSA , ES256 "])
def test_algorithms_are_comma_separated(environment, given):
    environment.setenv("COUNTERSIGN_JWT_ALGORITHMS", given)
    assert load(Everything).jwt_algorithms == ("EdDSA", "ES256")
