"""Signals and exit codes, seen from outside a real process."""

import signal
import subprocess
import sys

import pytest

PATIENT = """
import asyncio
from countersign_platform.process import run

async def main(stop):
    print(type(asyncio.get_running_loop()).__module__, flush=True)
    await stop.wait()
    print("draining", flush=True)
    {after}

run(main)
"""


@pytest.fixture
def start():
    """Starts a program in a process of its own; ends what is left of it."""
    started = []

    def _start(program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_with_zero(start, number):
    process = start(PATIENT.format(after="return"))
    assert process.stdout.readline() == "uvloop\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert out == "draining\n"
    assert process.returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_second_signal_exits_at_once(start, number, code):
    process = start(PATIENT.format(after="await asyncio.sleep(3600)"))
    process.stdout.readline()
    process.send_signal(number)
    assert process.stdout.readline() == "draining\n"
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == code


def test_an_error_that_escapes_is_logged_and_exits_with_one(start):
    process = start(
        "from countersign_platform.process import run\n"
        "async def main(stop):\n    raise ZeroDivisionError('no such number')\n"
        "run(main)\n"
    )
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "process_failed" in err
    assert "no such number" in err


def test_a_chosen_exit_code_is_kept(start):
    """A wrong setting that is found inside main still exits with 2."""
    process = start(
        "from countersign_platform.process import run\n"
        "async def main(stop):\n    raise SystemExit(2)\n"
        "run(main)\n"
    )
    process.communicate(timeout=20)
    assert process.returncode == 2
