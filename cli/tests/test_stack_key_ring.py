"""The key ring of the one-machine stack."""

import pytest
from typer.testing import CliRunner

from countersign_cli.app import app
from countersign_cli.stack.keys import add_secret_key, current_secret_key, ensure_keys
from countersign_cli.stack.layout import HOME_VARIABLE, Layout
from countersign_push.secret_box import KeyRing


@pytest.fixture
def layout(tmp_path, monkeypatch):
    for name in ("DATABASE_URL", "SECRET_KEYS", "SECRET_KEYS_FILE"):
        monkeypatch.delenv(f"COUNTERSIGN_{name}", raising=False)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    layout = Layout(tmp_path / "home")
    layout.create()
    ensure_keys(layout)
    return layout


def ring_text(layout):
    return (layout.keys / "secret_keys").read_text()


def test_a_new_key_stands_in_front_and_the_old_ones_stay(layout):
    """The file stays private, and the ring a ring."""
    old = ring_text(layout).strip()
    assert add_secret_key(layout) == "k2"
    assert add_secret_key(layout) == "k3"
    assert KeyRing.parse(ring_text(layout)).current_id == "k3" == current_secret_key(layout)
    assert ring_text(layout).strip().endswith("," + old)
    assert (layout.keys / "secret_keys").stat().st_mode & 0o777 == 0o600
    ensure_keys(layout)
    assert current_secret_key(layout) == "k3"


def test_rotation_waits_until_the_stack_knows_the_new_key(layout):
    """Sealing under a key that push has not read yet would stop its deliveries."""
    layout.write_state({"postgres_port": 1, "secret_key": "k1"})
    run = CliRunner()
    assert run.invoke(app, ["keys", "rotate", "--new-key"]).exit_code == 0
    refused = run.invoke(app, ["keys", "rotate"])
    assert refused.exit_code == 2
    assert "start it anew" in " ".join(refused.output.split())


def test_a_ring_that_is_none_is_refused_without_being_shown(layout, monkeypatch):
    """Exit code 2 and which entry."""
    monkeypatch.setenv("COUNTERSIGN_SECRET_KEYS", "k1:c2hvcnQ=")
    refused = CliRunner().invoke(app, ["keys", "rotate", "--database-url", "postgresql://unused"])
    assert refused.exit_code == 2
    assert "c2hvcnQ" not in refused.output
