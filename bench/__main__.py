"""`python -m bench [NAME …]`: measure, and write bench/RESULTS.md anew."""

import argparse
import asyncio
import time
from importlib import import_module
from pathlib import Path

from bench import report
from bench.cases import CASES, LARGE
from bench.measure.rounds import machine, save
from bench.options import Options

_FOLDER = Path(__file__).parent


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES + LARGE))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 for a quick look")
    parser.add_argument("--no-report", action="store_true", help="print only")
    asked = parser.parse_args()
    if unknown := set(asked.names) - {*CASES, *LARGE}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    options = Options(asked.rounds, asked.scale)
    for name in asked.names or CASES:
        begun = time.monotonic()
        result = asyncio.run(import_module(f"bench.cases.{name}").run(options))
        result.machine = machine()
        print(report.section(result), f"({time.monotonic() - begun:.0f} s)\n", flush=True)
        if not asked.no_report:
            save(result, _FOLDER / "results")
    if not asked.no_report:
        report.write(_FOLDER / "results", _FOLDER / "RESULTS.md")


if __name__ == "__main__":
    main()
