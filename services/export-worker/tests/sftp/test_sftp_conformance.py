"""The SFTP transport passes the conformance suite, with and without OpenSSH's extensions."""

from typing import Any

import pytest

from countersign_export_worker.connectors.conformance import CHECKS, Check

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_sftp_conforms(check: Check, either_zone: Any) -> None:
    """What the port promises, every adapter keeps."""
    await check(either_zone)
