"""The connector guide, taken apart: its blocks, and a shell that runs its commands."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "connectors.md"
_BLOCK = re.compile(
    r"^```(?P<language>[a-z]+)(?: (?P<title>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEADING = re.compile(r"^#+ (?P<title>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block; `heading` is the last one above it."""

    heading: str
    language: str
    title: str
    text: str


def blocks() -> list[Block]:
    """Every block of the guide, in order."""
    guide = GUIDE.read_text(encoding="utf-8")
    # A line of code that begins with a # is no heading.
    prose = _BLOCK.sub(lambda match: "\n" * len(match[0]), guide)
    headings = [(match.start(), match["title"]) for match in _HEADING.finditer(prose)]
    return [
        Block(
            [title for start, title in headings if start < match.start()][-1],
            match["language"],
            match["title"] or "",
            match["text"],
        )
        for match in _BLOCK.finditer(guide)
    ]


class Shell:
    """One bash in which blocks are run one after the other; a failing command ends it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._bash: asyncio.subprocess.Process | None = None

    async def run(self, text: str) -> str:
        """What the commands print, standard error too."""
        if self._bash is None:
            self._bash = await asyncio.create_subprocess_exec(
                *("bash", "-e", "-o", "pipefail"),
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=2**24,
            )
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{text}\necho; echo ---done---\n".encode())
        printed: list[str] = []
        async with asyncio.timeout(120):
            while line := (await self._bash.stdout.readline()).decode():
                if line.strip() == "---done---":
                    return "".join(printed)
                printed.append(line)
        raise AssertionError(f"the guide's commands failed:\n{text}\n{''.join(printed)}")

    async def close(self) -> None:
        """End it."""
        if self._bash is not None:
            assert self._bash.stdin is not None
            self._bash.stdin.close()
            await self._bash.wait()
