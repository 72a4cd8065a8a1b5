"""The ERP behind each dropzone: takes files away at once, late or never, and answers in its way."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from countersign_chaos.journal import Journal
from countersign_chaos.zones.zone import Answer, PickUp, Zone

_LATE_SECONDS = (0.5, 6.0)


class Erp:
    """Behaves as each zone's temperament says; logs what it answered."""

    def __init__(self, chance: random.Random, journal: Journal) -> None:
        self._chance = chance
        self._journal = journal
        self._waiting: set[asyncio.TimerHandle] = set()
        # Nonsense may still be being written, for half a minute; so it must stop in time.
        self.talks_nonsense = True

    @property
    def busy(self) -> bool:
        """Whether it still has something in mind."""
        now = asyncio.get_running_loop().time()
        self._waiting = {
            each for each in self._waiting if not each.cancelled() and each.when() > now
        }
        return bool(self._waiting)

    def appeared(self, zone: Zone, path: Path) -> None:
        """A file is there."""
        pick_up = zone.temperament.pick_up
        if pick_up is PickUp.AT_ONCE:
            path.unlink(missing_ok=True)
        elif pick_up is PickUp.LATE:
            self._later(lambda: path.unlink(missing_ok=True))
        if zone.acks is not None and zone.temperament.answers:
            self._answer(zone.acks, zone, path.name)

    def _answer(self, acks: Path, zone: Zone, name: str) -> None:
        kinds = list(zone.temperament.answers)
        [kind] = self._chance.choices(kinds, list(zone.temperament.answers.values()))
        if kind is Answer.MALFORMED and not self.talks_nonsense:
            kind = Answer.RIGHT
        if kind is Answer.NONE:
            return
        self._journal.write(
            {
                "at": time.time(),
                "zone": zone.name,
                "org": str(zone.org),
                "name": name,
                "answer": kind,
            }
        )
        if kind is Answer.LATE:
            self._later(lambda: _write(acks, name, kind))
        else:
            _write(acks, name, kind)
        if kind is Answer.DUPLICATE:
            self._later(lambda: _write(acks, name, kind))

    def _later(self, act: Callable[[], None]) -> None:
        seconds = self._chance.uniform(*_LATE_SECONDS)
        self._waiting.add(asyncio.get_running_loop().call_later(seconds, act))


def _write(acks: Path, name: str, kind: Answer) -> None:
    if kind is Answer.REFUSED:
        text = json.dumps({"code": "UNKNOWN_SKU", "message": "No such article."})
        (acks / f"error_{name}").write_text(text)
    elif kind is Answer.MALFORMED:
        (acks / f"ack_{name}").write_text('{"erp_order_id": ')
    else:
        (acks / f"ack_{name}").write_text(json.dumps({"erp_order_id": f"SO-{name[12:20]}"}))
