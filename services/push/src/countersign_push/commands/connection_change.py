"""A change of an ERP connection; switching it off is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from countersign_core.errors import NotFound, VersionMismatch, WrongState
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import Call
from countersign_push.assignment import ConnectionAccess, open_secrets, seal_secrets
from countersign_push.commands.connection_create import visible_name
from countersign_push.commands.connection_test_run import RunConnectionTest
from countersign_push.connection import Connection, ConnectionStatus, DeliveryTerms
from countersign_push.connection_acts import connection_changed
from countersign_push.connection_config import check_login, check_secrets, parse_config
from countersign_push.connector_type import ConnectorType
from countersign_push.secret_box import KeyRing, Owner
from countersign_push.store.connections import ConnectionStore
from countersign_push.store.connectors import ConnectorStore

# How often a change is applied anew when others change the connection at the same time.
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """What is to be different; None and an empty mapping leave things as they are.

    An empty secret is removed. `expected_version` is the version that the caller saw.
    """

    expected_version: int | None = None
    name: str | None = None
    config_json: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    status: ConnectionStatus | None = None
    terms: DeliveryTerms | None = None
    test_on_save: bool = False
    reason: str = ""
    # Statuses that the change may start from; None: any.
    only_from: frozenset[ConnectionStatus] | None = None


class ChangeConnection:
    """Applies a change to the version it was made for."""

    def __init__(
        self,
        store: ConnectionStore,
        plug_ins: ConnectorStore,
        keys: KeyRing,
        run_test: RunConnectionTest,
        wake_relay: Callable[[], None],
    ) -> None:
        self._store = store
        self._plug_ins = plug_ins
        self._keys = keys
        self._run_test = run_test
        self._wake_relay = wake_relay

    async def __call__(
        self, call: Call, connection_id: UUID, change: ConnectionChange
    ) -> Connection:
        """The connection as stored; unchanged when nothing differs.

        Raises:
            NotFound: CONNECTION_NOT_FOUND.
            VersionMismatch: it is not at `expected_version`, or changed during the test.
            InvalidRequest: every malformed field.
            CountersignError: CONNECTION_ALREADY_ACTIVE; with `test_on_save` those of a test.
            WrongState: CONNECTION_WRONG_STATE; its status is not in `only_from`.
        """
        before = await self._read(call.org_id, connection_id, change.expected_version)
        for _ in range(_ROUNDS):
            stored = await self._apply(call, before, change)
            if stored is not None:
                return stored
            expected = before.version if change.test_on_save else change.expected_version
            before = await self._read(call.org_id, connection_id, expected)
        raise VersionMismatch(expected=before.version - 1, current=before.version)

    async def _apply(
        self, call: Call, before: Connection, change: ConnectionChange
    ) -> Connection | None:
        _require_status(before, change)
        # Nothing else needs them open, and a lost key must not keep a connection switched on.
        needs_secrets = bool(change.secrets) or change.test_on_save
        secrets = self._secrets(before) if needs_secrets else {}
        wanted = _merged(secrets, change.secrets)
        plug_in = await self._plug_ins.find(before.connector_type)
        after = self._changed(before, change, wanted, plug_in, secrets_differ=wanted != secrets)
        differs = after != before
        result = None
        if change.test_on_save:
            access = ConnectionAccess(
                after.org_id, after.id, after.connector_type, after.config, after.version, wanted
            )
            stored_version = None if differs else before.version
            result = await self._run_test(call, access, stored_version=stored_version)
        if not differs:
            return await self._read(before.org_id, before.id, None)
        after = replace(after, version=before.version + 1)
        touched = [name for name in change.secrets if secrets.get(name) != wanted.get(name)]
        act = connection_changed(call, before, after, touched, change.reason)
        stored = await self._store.change(before, after, result, act)
        if stored is not None:
            self._wake_relay()
        return stored

    def _changed(
        self,
        before: Connection,
        change: ConnectionChange,
        secrets: Mapping[str, str],
        plug_in: ConnectorType | None,
        *,
        secrets_differ: bool,
    ) -> Connection:
        after = before
        if change.name is not None:
            after = replace(after, name=visible_name(change.name))
        if change.config_json is not None:
            config = parse_config(before.connector_type, change.config_json, plug_in)
            after = replace(after, config=config)
        if change.status is not None:
            after = replace(after, status=change.status)
        if change.terms is not None:
            after = replace(after, terms=change.terms)
        if change.secrets:
            check_secrets(before.connector_type, change.secrets, plug_in, may_remove=True)
        if secrets_differ or change.config_json is not None:
            names = dict.fromkeys(secrets if secrets_differ else before.secret_names, "")
            check_login(before.connector_type, after.config, names)
        if secrets_differ:
            owner = Owner(before.org_id, before.id)
            sealed = seal_secrets(secrets, self._keys, owner)
            after = replace(after, secrets=sealed, secret_names=tuple(sorted(secrets)))
        return after

    def _secrets(self, connection: Connection) -> dict[str, str]:
        owner = Owner(connection.org_id, connection.id)
        return open_secrets(connection.secrets, self._keys, owner)

    async def _read(
        self, org_id: UUID, connection_id: UUID, expected_version: int | None
    ) -> Connection:
        connection = await self._store.read(org_id, connection_id)
        if connection is None:
            raise NotFound(Reason.CONNECTION_NOT_FOUND, "ERP connection not found")
        if expected_version is not None and connection.version != expected_version:
            raise VersionMismatch(expected=expected_version, current=connection.version)
        return connection


def _require_status(before: Connection, change: ConnectionChange) -> None:
    if change.only_from is None or before.status in change.only_from:
        return
    raise WrongState(
        Reason.CONNECTION_WRONG_STATE,
        f"The connection is {before.status}",
        current=before.status,
        allowed=sorted(change.only_from),
        erp_connection_id=str(before.id),
    )


def _merged(secrets: Mapping[str, str], change: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in {**secrets, **change}.items() if value}
