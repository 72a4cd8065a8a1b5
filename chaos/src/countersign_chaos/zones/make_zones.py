"""The dropzones of one round: every transport, every kind of ERP."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from countersign_chaos.world.world import World
from countersign_chaos.zones.zone import Answer, PickUp, Temperament, Zone
from countersign_platform.testing.sshd_server import SshdServer

_ANSWERS = {
    Answer.RIGHT: 60,
    Answer.DUPLICATE: 12,
    Answer.LATE: 12,
    Answer.REFUSED: 6,
    Answer.MALFORMED: 2,
    Answer.NONE: 8,
}
_DISK_BYTES = 16 << 20


def make_zones(world: World, number: int) -> list[Zone]:
    """Zones with orgs of their own; `number` is the round's."""
    folder = world.folder / f"round-{number}"
    folder.mkdir()
    folder.chmod(0o755)
    return list(_zones(world, folder, number))


def unmake_zones(zones: list[Zone]) -> None:
    """Remove their folders and file systems."""
    for zone in zones:
        if zone.disk is not None:
            _run("umount", str(zone.disk))
        shutil.rmtree(zone.folder, ignore_errors=True)


def _zones(world: World, folder: Path, number: int) -> Iterator[Zone]:
    yield _folder_zone(folder, "answering", Temperament(PickUp.AT_ONCE, _ANSWERS))
    yield _folder_zone(folder, "never", Temperament(PickUp.NEVER))
    yield _folder_zone(folder, "disk", Temperament(PickUp.LATE), disk=_can_mount())
    for name, temperament in (
        ("sshd", Temperament(PickUp.LATE, _ANSWERS)),
        ("poor_sshd", Temperament(PickUp.AT_ONCE)),
    ):
        yield _sftp_zone(world, name, number, temperament)


def _folder_zone(parent: Path, name: str, temperament: Temperament, *, disk: bool = False) -> Zone:
    place = parent / name
    place.mkdir()
    if disk:
        size = f"size={_DISK_BYTES}"
        _run("mount", "-t", "tmpfs", "-o", size, "countersign-chaos", str(place))
    acks = _acks(parent, name) if temperament.answers else None
    config: dict[str, Any] = {"transport": "folder", "export_path": str(place)}
    if acks is not None:
        config["ack_path"] = str(acks)
    return Zone(name, uuid4(), place, temperament, config, acks=acks, disk=place if disk else None)


def _acks(parent: Path, name: str) -> Path:
    acks = parent / f"{name}-acks"
    acks.mkdir()
    return acks


def _sftp_zone(world: World, server: str, number: int, temperament: Temperament) -> Zone:
    sshd: SshdServer = getattr(world.servers, server)
    place = sshd.make_folder(f"round-{number}")
    acks = sshd.make_folder(f"round-{number}-acks") if temperament.answers else None
    config = {
        "transport": "sftp",
        "host": sshd.host,
        "port": world.network.port("workers", server),
        "username": sshd.username,
        "host_keys": [sshd.host_keys[0]],
        "export_path": str(place),
        "connect_timeout_seconds": 5,
        "transfer_timeout_seconds": 8,
        "keepalive_seconds": 3,
    }
    if acks is not None:
        config["ack_path"] = str(acks)
    secrets = {"private_key": sshd.private_key.read_text()}
    return Zone(server, uuid4(), place, temperament, config, secrets, acks=acks, server=server)


def _can_mount() -> bool:
    """Whether a disk of our own can be filled: only root may mount one."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def _run(*command: str) -> None:
    program = shutil.which(command[0])
    assert program is not None
    subprocess.run([program, *command[1:]], check=True, capture_output=True)
