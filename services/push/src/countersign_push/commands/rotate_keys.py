"""Every sealed value is sealed anew under the current key, while the service works on.

Run it when every replica of push knows the new key. Each value is replaced only if it is still
the one that was read, so nothing is lost to a change at the same time, and a run that was cut
off is simply run again.
"""

from dataclasses import dataclass, field

from countersign_push.secret_box import KeyRing, SecretsUnreadable
from countersign_push.store.sealed_values import Kind, SealedValue, SealedValueStore

_BATCH = 200


@dataclass(slots=True)
class Rotation:
    """What a run did. `overtaken`: changed by somebody else meanwhile, with the key they had."""

    sealed_anew: int = 0
    overtaken: int = 0
    unreadable: list[SealedValue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many values each key seals, by key id; `current_id` is the key that should seal all."""

    current_id: str
    values: dict[str, int]

    @property
    def still_needed(self) -> dict[str, int]:
        """The keys other than the current one that still seal something."""
        return {key: count for key, count in self.values.items() if key != self.current_id}


class RotateKeys:
    """Reads in batches and replaces one by one: no lock is held longer than one statement."""

    def __init__(self, store: SealedValueStore, keys: KeyRing, *, batch: int = _BATCH) -> None:
        self._store = store
        self._keys = keys
        self._batch = batch

    async def __call__(self) -> Rotation:
        """Seal anew what is not under the current key; what does not open is left as it is."""
        done = Rotation()
        for kind in Kind:
            last: SealedValue | None = None
            while batch := await self._next(kind, last):
                for value in batch:
                    await self._seal_anew(value, done)
                last = batch[-1]
        return done

    async def use(self) -> KeyUse:
        """Which keys are still needed."""
        return KeyUse(self._keys.current_id, await self._store.count_by_key())

    async def _next(self, kind: Kind, last: SealedValue | None) -> list[SealedValue]:
        return await self._store.not_under(self._keys.current_id, kind, last, self._batch)

    async def _seal_anew(self, value: SealedValue, done: Rotation) -> None:
        try:
            opened = self._keys.open(value.sealed, value.owner)
        except SecretsUnreadable:
            done.unreadable.append(value)
            return
        if await self._store.replace(value, self._keys.seal(opened, value.owner)):
            done.sealed_anew += 1
        else:
            done.overtaken += 1
