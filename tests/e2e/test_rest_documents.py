"""Documents over REST and the command line: the bytes that were sent, from the archive."""

import asyncio
import base64
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from problems import assert_problem
from system import System
from tenant import Tenant
from waiting import eventually

from countersign_core.roles import Role

pytestmark = pytest.mark.e2e


async def archived(tenant: Tenant) -> dict[str, Any]:
    """An export that was delivered and archived."""
    draft = await tenant.approved()
    assert (await tenant.push(draft["id"])).status_code == 200

    async def look() -> dict[str, Any] | None:
        [export] = (await tenant.http.get("/erp-exports")).json()["exports"]
        return export if export["archived"] else None

    return await eventually(look, what="the document is archived")  # type: ignore[no-any-return]


def kept_file(system: System, export: dict[str, Any]) -> Path:
    [file] = system.archive.rglob(f"{export['id']}.json")
    return file


async def test_document_is_what_the_erp_got_byte_for_byte(system: System, tenant: Tenant) -> None:
    """From the archive, with its SHA-256 in three headers."""
    export = await archived(tenant)
    [delivered] = tenant.files()
    answer = await tenant.http.get(f"/erp-exports/{export['id']}/document")
    assert answer.status_code == 200, answer.text
    assert answer.content == delivered.read_bytes() == kept_file(system, export).read_bytes()
    digest = sha256(answer.content)
    assert answer.headers["x-document-sha256"] == digest.hexdigest() == export["document_sha256"]
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    encoded = base64.b64encode(digest.digest()).decode()
    assert answer.headers["content-digest"] == f"sha-256=:{encoded}:"
    assert answer.headers["x-document-source"] == "archive"


async def test_document_that_was_changed_in_the_archive_is_not_shown(
    system: System, tenant: Tenant
) -> None:
    export = await archived(tenant)
    file = kept_file(system, export)
    file.write_bytes(file.read_bytes().replace(b'"2"', b'"3"'))
    answer = await tenant.http.get(f"/erp-exports/{export['id']}/document")
    problem = assert_problem(answer, 500, "ARCHIVE_DAMAGED")
    assert "is not what was sent" in problem["detail"]


async def test_command_line_writes_the_document_to_a_file(
    system: System, tenant: Tenant, tmp_path: Path
) -> None:
    export = await archived(tenant)
    out = tmp_path / "document.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "countersign_cli", "exports", "document", export["id"],
        "--out", str(out),
        env={
            "COUNTERSIGN_URL": system.url(),
            "COUNTERSIGN_TOKEN": system.token(tenant.org, Role.VIEWER),
        },
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert out.read_bytes() == tenant.files()[0].read_bytes()
    assert export["document_sha256"] in said.decode()
