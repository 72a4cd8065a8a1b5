"""A service's own token is renewed by replacing a file."""

import pytest

from countersign_core.errors import Unavailable
from countersign_platform.auth.service_token import ServiceToken


def test_the_token_is_read_again_when_its_file_changes(tmp_path):
    file = tmp_path / "token"
    file.write_text("one\n")
    token = ServiceToken(file)
    assert token.value() == "one"
    (tmp_path / "next").write_text("two\n")
    (tmp_path / "next").replace(file)
    assert token.value() == "two"


def test_a_file_that_is_gone_or_empty_leaves_the_last_token(tmp_path):
    file = tmp_path / "token"
    file.write_text("one")
    token = ServiceToken(file)
    token.value()
    file.write_text("")
    assert token.value() == "one"
    file.unlink()
    assert token.value() == "one"


def test_no_token_at_all_is_unavailable(tmp_path):
    with pytest.raises(Unavailable):
        ServiceToken(tmp_path / "missing").value()


def test_an_empty_file_is_no_token(tmp_path):
    (tmp_path / "token").write_text("\n")
    with pytest.raises(Unavailable):
        ServiceToken(tmp_path / "token").value()
