"""What every connector must do, as checks that any test runner can call.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_connector(check, harness):
        await check(harness)

CHECKS are for a connector that writes a file and renames it (ErpConnectorPort) and take a
DropzoneHarness; DIRECT_CHECKS are for one that delivers in one step (DirectConnectorPort) and
take a DirectHarness. Each check needs a fresh harness, and raises AssertionError.
"""

from countersign_export_worker.connectors.conformance.direct import (
    DIRECT_CHECKS,
    DirectCheck,
    DirectHarness,
)
from countersign_export_worker.connectors.conformance.dropzone import (
    CHECKS,
    Check,
    DropzoneHarness,
)

__all__ = ["CHECKS", "DIRECT_CHECKS", "Check", "DirectCheck", "DirectHarness", "DropzoneHarness"]
