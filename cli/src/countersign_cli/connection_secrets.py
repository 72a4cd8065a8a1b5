"""Secrets for a connection: from files, the environment or standard input, never from arguments.

Arguments are seen by every account of the machine and stay in the shell's history.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import typer


def read_secrets(
    files: Iterable[str], variables: Iterable[str], from_stdin: str | None = None
) -> dict[str, str]:
    """Secrets by name.

    Args:
        files: `name=PATH` each. A line end at the end of a file is not part of a one-line secret.
        variables: `name=VARIABLE` each.
        from_stdin: name of the one secret that is read from standard input.

    Raises:
        typer.BadParameter: not of that form, not readable, empty, or named twice. The message
            never shows a value.
    """
    found: dict[str, str] = {}
    for option, entries, read in (
        ("--secret-file", files, _from_file),
        ("--secret-env", variables, _from_environment),
    ):
        for entry in entries:
            name, source = _name_and_source(option, entry)
            _add(found, name, read(source))
    if from_stdin is not None:
        _add(found, from_stdin, _one_value(sys.stdin.read()))
    return found


def _name_and_source(option: str, entry: str) -> tuple[str, str]:
    name, equals, source = entry.partition("=")
    if not (name and equals and source):
        # The entry itself may be a secret that was put in the wrong place.
        raise typer.BadParameter(f"{option} must be NAME=SOURCE")
    return name, source


def _add(found: dict[str, str], name: str, value: str) -> None:
    if name in found:
        raise typer.BadParameter(f"the secret {name} is given twice")
    if not value:
        raise typer.BadParameter(f"the secret {name} is empty")
    found[name] = value


def _from_file(path: str) -> str:
    try:
        return _one_value(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {type(error).__name__}") from error


def _from_environment(variable: str) -> str:
    if variable not in os.environ:
        raise typer.BadParameter("--secret-env names a variable that is not set")
    return os.environ[variable]


def _one_value(text: str) -> str:
    """A private key keeps its lines; a password loses the line end that editors add."""
    trimmed = text.removesuffix("\n").removesuffix("\r")
    return text if "\n" in trimmed else trimmed
