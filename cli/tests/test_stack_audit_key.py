"""The key that signs the checkpoints of a one-machine stack."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_cli.app import app
from countersign_cli.stack.layout import HOME_VARIABLE, Layout


def _run(command: str) -> None:
    done = CliRunner().invoke(app, ["keys", command])
    assert done.exit_code == 0, done.output


def test_it_is_made_once_and_a_new_one_keeps_the_old_one_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    folder = Layout(tmp_path).audit_keys

    def current() -> str:
        return SealingKey.from_pem((folder / "signing-key.pem").read_text()).key_id

    _run("init")
    first = current()
    _run("init")
    assert current() == first
    _run("rotate-audit-key")
    assert current() != first
    known = PublicKeys.from_jwks((folder / "jwks.json").read_bytes())
    assert first in known
    assert current() in known
    assert (folder / "signing-key.pem").stat().st_mode & 0o077 == 0
