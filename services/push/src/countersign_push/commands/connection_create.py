"""A new ERP connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.rpc.call import Call
from countersign_push.assignment import ConnectionAccess, seal_secrets
from countersign_push.commands.connection_test_run import RunConnectionTest
from countersign_push.connection import Connection, ConnectionStatus, DeliveryTerms
from countersign_push.connection_acts import connection_created
from countersign_push.connection_config import check_login, check_secrets, parse_config
from countersign_push.connector_type import ConnectorType
from countersign_push.secret_box import KeyRing, Owner
from countersign_push.store.connections import ConnectionStore
from countersign_push.store.connectors import ConnectorStore


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What the caller wants; the secrets stay out of its repr."""

    name: str
    connector_type: str
    config_json: str
    secrets: Mapping[str, str] = field(repr=False)
    test_on_save: bool
    terms: DeliveryTerms = field(default_factory=DeliveryTerms)


class CreateConnection:
    """Checks, tests if asked to, and saves."""

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

    async def __call__(self, call: Call, wanted: NewConnection) -> Connection:
        """The connection as stored, ACTIVE.

        Raises:
            InvalidRequest: every malformed field.
            CountersignError: CONNECTION_ALREADY_ACTIVE; with `test_on_save` those of a test.
        """
        plug_in = await self._plug_ins.find(wanted.connector_type)
        made = self._made(call, wanted, plug_in)
        result = None
        if wanted.test_on_save:
            access = ConnectionAccess(
                made.org_id, made.id, made.connector_type, made.config, 1, wanted.secrets
            )
            result = await self._run_test(call, access, stored_version=None)
        act = connection_created(call, made)
        stored = await self._store.create(made, call.identity.subject, result, act)
        self._wake_relay()
        return stored

    def _made(self, call: Call, wanted: NewConnection, plug_in: ConnectorType | None) -> Connection:
        config = parse_config(wanted.connector_type, wanted.config_json, plug_in)
        check_secrets(wanted.connector_type, wanted.secrets, plug_in)
        check_login(wanted.connector_type, config, wanted.secrets)
        owner = Owner(call.org_id, uuid4())
        return Connection(
            org_id=owner.org_id,
            id=owner.connection_id,
            name=visible_name(wanted.name),
            connector_type=wanted.connector_type,
            config=config,
            secret_names=tuple(sorted(wanted.secrets)),
            status=ConnectionStatus.ACTIVE,
            version=1,
            terms=wanted.terms,
            secrets=seal_secrets(wanted.secrets, self._keys, owner),
        )


def visible_name(name: str) -> str:
    """`name` without blanks around it.

    Raises:
        InvalidRequest: nothing is left, or something in it does not print.
    """
    trimmed = name.strip()
    if not trimmed or not trimmed.isprintable():
        raise InvalidRequest([FieldError("name", "must be printable and not blank")])
    return trimmed
