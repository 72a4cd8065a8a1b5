"""HTTP_JSON_V1 passes the conformance suite, with and without TLS."""

from typing import Any

import pytest

from countersign_export_worker.connectors.conformance import DIRECT_CHECKS, DirectCheck


@pytest.mark.parametrize("check", DIRECT_CHECKS, ids=lambda check: check.__name__)
async def test_http_conforms(check: DirectCheck, either_erp: Any) -> None:
    """What the port promises, every adapter keeps."""
    await check(either_erp)
