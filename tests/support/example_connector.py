"""The example connector as an integrator installs it."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "connector-line"


def install_example(wheels: Path, place: Path) -> None:
    """What its wheel holds into the folder `place`, as pip puts it there; no network is asked."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=EXAMPLE, check=True, capture_output=True)
    [wheel] = wheels.glob("*.whl")
    uv = str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--offline", "--no-deps", "--target", str(place), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
