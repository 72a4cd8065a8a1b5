"""The whole stack, started once for a run: servers, network, processes, keys."""

import base64
import os
import secrets
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from countersign_chaos.world.mortality import Mortality
from countersign_chaos.world.network import Network
from countersign_chaos.world.process import Ended, Launch, Process
from countersign_chaos.world.servers import Servers, start_servers
from countersign_chaos.world.terms import MODULES, SETTINGS, Terms
from countersign_core.roles import Role
from countersign_platform.auth.minting import KEY_FILE_NAME, create_signing_key, mint_token
from countersign_platform.testing.ports import HOST, free_ports

_DAY_SECONDS = 86_400.0


class World:
    """The running stack; an async context manager."""

    def __init__(self, terms: Terms, mortality: Mortality) -> None:
        """`mortality`: at which step of a delivery each worker meets its end."""
        self.terms = terms
        self.folder = Path(tempfile.mkdtemp(prefix="countersign-chaos-"))
        # Servers run as other users when we are root, and reach what is theirs in it.
        self.folder.chmod(0o711)
        self.network = Network()
        self.processes: dict[str, Process] = {}
        self.ended: list[Ended] = []
        self.servers: Servers
        self._mortality = mortality
        self._opened = AsyncExitStack()
        self._ports: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self.processes.values()):
            await process.close()
        await self.network.close()
        await self._opened.aclose()

    def remove(self) -> None:
        """Remove the folder with keys, logs and dropzones."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def named(self, kind: str) -> list[Process]:
        """The replicas of one kind."""
        return [process for process in self.processes.values() if process.kind == kind]

    def arm(self) -> None:
        """From now on workers end at the steps that were drawn for them."""
        (self.folder / "armed").touch()

    def disarm(self) -> None:
        """Nobody ends at a step any more."""
        (self.folder / "armed").unlink(missing_ok=True)

    def set_clock(self, worker: str, seconds: float) -> None:
        """Make a worker's time of day wrong by so much."""
        beside = self.folder / f"{worker}.clock.new"
        beside.write_text(str(seconds))
        beside.replace(self.folder / f"{worker}.clock")

    def token(self, org: UUID, *roles: Role, subject: str) -> str:
        """A token for a user of `org`."""
        return mint_token(
            self._signing_key,
            subject=subject,
            roles=roles,
            org_id=org,
            org_slug="acme",
            lifetime_seconds=_DAY_SECONDS,
        )

    async def _start(self) -> None:
        self.servers = await start_servers(self._opened)
        self._make_keys()
        await self._alter_database()
        names = self.terms.names()
        numbers = free_ports(2 * len(names))
        self._ports = dict(zip(names, numbers, strict=False)) | self.servers.ports()
        probes = dict(zip(names, numbers[len(names) :], strict=True))
        for name in [*names, "client", "workers"]:
            for target in self.terms.talks_to(name.split("-", maxsplit=1)[0]):
                await self.network.connect(name, target, self._ports[target])
        for name in names:
            self.processes[name] = self._process(name, probes[name])
            await self.processes[name].start()
        for process in self.processes.values():
            await process.ready()

    def _make_keys(self) -> None:
        keys = self.folder / "keys"
        keys.mkdir()
        self._signing_key = create_signing_key(keys)
        create_signing_key(keys / "audit")
        (self.folder / "archive").mkdir()
        for name, role in (("relay", Role.RELAY), ("worker", Role.WORKER)):
            token = mint_token(
                self._signing_key,
                subject=f"service:{name}",
                roles=[role],
                lifetime_seconds=_DAY_SECONDS,
            )
            (keys / f"{name}.token").write_text(token)
        ring = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
        (keys / "secret_keys").write_text(ring)

    async def _alter_database(self) -> None:
        if not self.terms.sql:
            return
        owner = await asyncpg.connect(self.servers.databases.owner_url)
        try:
            for statement in self.terms.sql:
                await owner.execute(statement)
        finally:
            await owner.close()

    def _process(self, name: str, probe_port: int) -> Process:
        kind = name.split("-", maxsplit=1)[0]
        fixed = self._environment(name, kind, probe_port)

        def environment() -> dict[str, str]:
            return fixed | (self._mortality.next_life() if kind == "worker" else {})

        launch = Launch(self.terms.module(kind), environment)
        log = self.folder / f"{name}.log"
        return Process(name, launch, log, probe_port, self.ended)

    def _environment(self, name: str, kind: str, probe_port: int) -> dict[str, str]:
        keys = self.folder / "keys"
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith("COUNTERSIGN_")
        }
        # Each of the many starts would compile all that it imports anew.
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        token = "worker" if kind == "worker" else "relay"
        own = {
            "COUNTERSIGN_JWKS": str(keys / "jwks.json"),
            "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{probe_port}",
            "COUNTERSIGN_LISTEN": f"{HOST}:{self._ports[name]}",
            "COUNTERSIGN_SERVICE_TOKEN_FILE": str(keys / f"{token}.token"),
        }
        if kind == "push":
            own["COUNTERSIGN_SECRET_KEYS_FILE"] = str(keys / "secret_keys")
        if kind == "audit":
            own["COUNTERSIGN_AUDIT_SIGNING_KEY_FILE"] = str(keys / "audit" / KEY_FILE_NAME)
        if kind in {"push", "audit"}:
            own["COUNTERSIGN_ARCHIVE_URL"] = (self.folder / "archive").as_uri()
        if kind in self.terms.modules:
            own["COUNTERSIGN_CHAOS_PROGRAM"] = MODULES[kind]
        if kind == "worker":
            own["COUNTERSIGN_CHAOS_ARMED"] = str(self.folder / "armed")
            own["COUNTERSIGN_CHAOS_CLOCK"] = str(self.folder / f"{name}.clock")
        ways = self._ways(name, kind)
        return inherited | SETTINGS | own | ways | self.terms.settings

    def _ways(self, name: str, kind: str) -> dict[str, str]:
        """How this process reaches the others: through its own links."""
        ways = {}
        for target in self.terms.talks_to(kind):
            if target == "postgres":
                url = self.servers.databases.url_for(kind)
                ways["COUNTERSIGN_DATABASE_URL"] = self._through(url, name, target)
            elif target == "rabbit":
                ways["COUNTERSIGN_BROKER_URL"] = self._through(
                    self.servers.rabbit.url, name, target
                )
            elif target == "redis":
                ways["COUNTERSIGN_REDIS_URL"] = self._through(self.servers.redis.url, name, target)
            else:
                other = target.split("-", maxsplit=1)[0]
                replicas = [each for each in self.terms.names() if each.startswith(f"{other}-")]
                ways[f"COUNTERSIGN_{other.upper()}_TARGET"] = self.network.grpc_target(
                    name, replicas
                )
        return ways

    def _through(self, url: str, source: str, target: str) -> str:
        parts = urlsplit(url)
        login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        netloc = f"{login}{self.network.address(source, target)}"
        return urlunsplit(parts._replace(netloc=netloc))
