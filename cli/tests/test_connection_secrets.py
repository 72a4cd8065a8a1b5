"""Secrets reach the command line without passing through its arguments."""

import io

import pytest
import typer

from countersign_cli.connection_secrets import read_secrets


def test_secrets_come_from_files_variables_and_standard_input(tmp_path, monkeypatch):
    """A password loses the line end that an editor added; a private key keeps its lines."""
    (tmp_path / "pw").write_text("hunter2\n")
    (tmp_path / "key").write_text("-----BEGIN\nAAAA\n-----END\n")
    monkeypatch.setenv("ERP_PASSPHRASE", "open sesame")
    monkeypatch.setattr("sys.stdin", io.StringIO("token\n"))
    found = read_secrets(
        [f"password={tmp_path / 'pw'}", f"private_key={tmp_path / 'key'}"],
        ["private_key_passphrase=ERP_PASSPHRASE"],
        "hmac_secret",
    )
    assert found == {
        "password": "hunter2",
        "private_key": "-----BEGIN\nAAAA\n-----END\n",
        "private_key_passphrase": "open sesame",
        "hmac_secret": "token",
    }


@pytest.mark.parametrize("entry", ["hunter2", "=hunter2", "password="])
def test_what_names_no_file_is_refused_without_being_shown(entry):
    """It may be the secret itself, put in the wrong place."""
    with pytest.raises(typer.BadParameter) as caught:
        read_secrets([entry], [])
    assert "hunter2" not in str(caught.value)


def test_a_variable_that_is_not_set_is_refused_without_being_shown(monkeypatch):
    """As above."""
    monkeypatch.delenv("hunter2", raising=False)
    with pytest.raises(typer.BadParameter) as caught:
        read_secrets([], ["password=hunter2"])
    assert "hunter2" not in str(caught.value)


def test_an_empty_secret_and_one_given_twice_are_refused(tmp_path, monkeypatch):
    """Neither can be meant."""
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("ERP_PASSWORD", "x")
    with pytest.raises(typer.BadParameter, match="empty"):
        read_secrets([f"password={tmp_path / 'empty'}"], [])
    with pytest.raises(typer.BadParameter, match="twice"):
        read_secrets([], ["password=ERP_PASSWORD", "password=ERP_PASSWORD"])


def test_a_missing_file_is_refused(tmp_path):
    """With its path and the kind of error."""
    with pytest.raises(typer.BadParameter, match="FileNotFoundError"):
        read_secrets([f"password={tmp_path / 'none'}"], [])
