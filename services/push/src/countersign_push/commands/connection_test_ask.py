"""A person wants to know whether a connection works."""

from uuid import UUID

from countersign_platform.rpc.call import Call
from countersign_push.assignment import ConnectionAccess, open_secrets
from countersign_push.commands.connection_read import ReadConnections
from countersign_push.commands.connection_test_run import RunConnectionTest
from countersign_push.connection_test_result import StoredResult
from countersign_push.secret_box import KeyRing, Owner


class AskConnectionTest:
    """Tests a connection as it is stored, DISABLED ones too."""

    def __init__(
        self, connections: ReadConnections, run_test: RunConnectionTest, keys: KeyRing
    ) -> None:
        self._connections = connections
        self._run_test = run_test
        self._keys = keys

    async def __call__(self, call: Call, connection_id: UUID) -> StoredResult:
        """What a test that passed found.

        Raises:
            NotFound: CONNECTION_NOT_FOUND.
            CountersignError: CONNECTION_TEST_FAILED or CONNECTION_TEST_TIMEOUT.
        """
        stored = await self._connections.one(call.org_id, connection_id)
        secrets = open_secrets(stored.secrets, self._keys, Owner(stored.org_id, stored.id))
        access = ConnectionAccess(
            stored.org_id, stored.id, stored.connector_type, stored.config, stored.version, secrets
        )
        return await self._run_test(call, access, stored_version=stored.version)
