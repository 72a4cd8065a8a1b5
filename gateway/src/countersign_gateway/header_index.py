"""The headers of one request, sorted once: whoever handles it asks for a dozen of them."""

from typing import TypeVar

from starlette.datastructures import Headers
from starlette.types import Scope

T = TypeVar("T")


class HeaderIndex(Headers):
    """Starlette's Headers, which walk the whole list for every question, with a dictionary."""

    def __init__(self, scope: Scope) -> None:
        """`scope` names its headers in lower case, as ASGI has it."""
        super().__init__(scope=scope)
        self._index: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            self._index.setdefault(name, []).append(value)

    def __getitem__(self, key: str) -> str:
        return self._index[key.lower().encode("latin-1")][0].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._index

    def getlist(self, key: str) -> list[str]:
        """Every value, in order."""
        values = self._index.get(key.lower().encode("latin-1"), ())
        return [value.decode("latin-1") for value in values]
