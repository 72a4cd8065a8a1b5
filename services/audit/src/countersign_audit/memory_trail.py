"""The trail in memory: the same promises as the store, for tests of the commands."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from countersign_audit.chain import GENESIS_HASH, Row, link_hash, row_of
from countersign_audit.event import Event, Head, Link
from countersign_audit.ports import EventFilters, Extent


class MemoryTrail:
    """Chains per org in lists. `chains` and `heads` are open, so that a test can tamper."""

    def __init__(self) -> None:
        self.chains: defaultdict[UUID, list[Link]] = defaultdict(list)
        self.heads: dict[UUID, Head] = {}
        self._known: set[tuple[UUID, UUID]] = set()

    async def append(self, events: Sequence[Event]) -> Mapping[str, int]:
        """As ports.EventLog."""
        new: Counter[str] = Counter()
        for event in events:
            if (event.org_id, event.event_id) not in self._known:
                self._link(event)
                new[event.action] += 1
        return new

    async def page(
        self, org_id: UUID, filters: EventFilters, below_seq: int | None, limit: int
    ) -> Sequence[Link]:
        """As ports.EventReader."""
        newest_first = sorted(self.chains[org_id], key=lambda link: -link.seq)
        return [
            link
            for link in newest_first
            if (below_seq is None or link.seq < below_seq) and _matches(link.event, filters)
        ][:limit]

    async def following(
        self, org_id: UUID, filters: EventFilters, after_seq: int, up_to_seq: int, limit: int
    ) -> Sequence[Link]:
        """As ports.EventReader."""
        fitting = [
            link
            for link in await self.links(org_id, after_seq + 1, up_to_seq)
            if _matches(link.event, filters)
        ]
        last = fitting[limit - 1].seq if len(fitting) > limit else up_to_seq
        return [link for link in fitting if link.seq <= last]

    async def extent(self, org_id: UUID) -> Extent:
        """As ports.ChainReader."""
        head = self.heads.get(org_id, Head(0, GENESIS_HASH))
        beyond = [link.seq for link in self.chains[org_id] if link.seq > head.seq]
        return Extent(head, min(beyond, default=None))

    async def links(self, org_id: UUID, first: int, last: int) -> Sequence[Link]:
        """As ports.ChainReader."""
        in_range = (link for link in self.chains[org_id] if first <= link.seq <= last)
        return sorted(in_range, key=lambda link: link.seq)

    async def rows(self, org_id: UUID, first: int, last: int) -> Sequence[Row]:
        """As ports.ChainReader."""
        return list(map(row_of, await self.links(org_id, first, last)))

    def _link(self, event: Event) -> None:
        head = self.heads.get(event.org_id, Head(0, GENESIS_HASH))
        seq = head.seq + 1
        link = Link(event, seq, head.hash, link_hash(head.hash, event, seq))
        self.chains[event.org_id].append(link)
        self.heads[event.org_id] = Head(seq, link.hash)
        self._known.add((event.org_id, event.event_id))


def _matches(event: Event, filters: EventFilters) -> bool:
    exact = ("draft_order_id", "entity_type", "entity_id", "actor_user_id", "request_id")
    wanted = {name: getattr(filters, name) for name in exact}
    return (
        (not filters.actions or event.action in filters.actions)
        and all(not value or getattr(event, name) == value for name, value in wanted.items())
        and (filters.occurred_from is None or event.occurred_at >= filters.occurred_from)
        and (filters.occurred_to is None or event.occurred_at < filters.occurred_to)
    )
