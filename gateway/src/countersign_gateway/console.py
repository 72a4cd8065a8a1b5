"""The web console, where it has been built: static files under /console."""

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src {connect}; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
# The build puts a digest into the name of everything under assets/.
_FOREVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"


def mount_console(app: FastAPI, folder: Path, authority: str | None = None) -> None:
    """Serves the folder; unknown paths are the console's own views and answer its page.

    `authority` is the only other place that the console may talk to: where people sign in.
    """
    app.mount("/console", _Console(folder, authority), name="console")


class _Console(StaticFiles):
    def __init__(self, folder: Path, authority: str | None) -> None:
        super().__init__(directory=folder, html=True)
        connect = "'self'" if authority is None else f"'self' {_origin(authority)}"
        self._policy = _POLICY.format(connect=connect)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await self._file_or_page(path, scope)
        headers = MutableHeaders(raw=response.raw_headers)
        headers["Content-Security-Policy"] = self._policy
        headers["Cache-Control"] = _FOREVER if path.startswith("assets/") else _ASK_EACH_TIME
        return response

    async def _file_or_page(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith("assets/"):  # noqa: PLR2004 — HTTP's own
                raise
            return await super().get_response("index.html", scope)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
