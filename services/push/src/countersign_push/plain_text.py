"""Words from outside, made fit for PostgreSQL and for a person's screen."""

import re

# NUL cannot be stored; the other control characters would only disturb whoever reads it.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def plain(text: str) -> str:
    """`text` with every control character but tab and line ends replaced by U+FFFD."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
