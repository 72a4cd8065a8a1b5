"""Pushes that wait together go together, and nobody pays for another's failure."""

import asyncio
from uuid import UUID, uuid4

import pytest

from countersign_core.errors import Unavailable
from countersign_push.errors import DraftLocked, PushCollision
from countersign_push.push_combiner import PushCombiner
from countersign_push.push_intent import Operation, PushIntent
from countersign_push.store.push import PushBatch, Pushed, PushItem

ORG = UUID(int=1)


class Statements:
    """Runs what it is given when it is let go; remembers which drafts went together."""

    def __init__(self) -> None:
        self.ran: list[list[UUID]] = []
        self.go = asyncio.Event()
        self.collides: set[UUID] = set()
        self.locked: set[UUID] = set()
        self.unlock = asyncio.Event()
        self.away = False

    async def push(self, batches: list[PushBatch], *, patient: bool = False) -> dict[UUID, Pushed]:
        items = [item for batch in batches for item in batch.items]
        self.ran.append([item.intent.draft_id for item in items])
        await self.go.wait()
        if self.away:
            raise Unavailable("The database is away")
        if self.locked & set(self.ran[-1]):
            if not patient:
                raise DraftLocked
            await self.unlock.wait()
        if self.collides & set(self.ran[-1]):
            raise PushCollision
        return {item.export_id: Pushed() for item in items}


def push_of(*drafts: UUID, org: UUID = ORG) -> PushBatch:
    items = [
        PushItem(PushIntent(each), uuid4(), b"", uuid4(), b"", uuid4(), b"") for each in drafts
    ]
    return PushBatch(org, "org", Operation.PUSH, None, "anna", "request", "", items)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def statements() -> Statements:
    return Statements()


async def begin(combiner, first, *others):
    """`first` is under way before the others arrive together."""
    tasks = [asyncio.create_task(combiner.push(first))]
    await settle()
    tasks += [asyncio.create_task(combiner.push(batch)) for batch in others]
    await settle()
    return tasks


async def test_a_push_alone_goes_at_once_and_by_itself(statements):
    statements.go.set()
    draft = uuid4()
    batch = push_of(draft)
    outcomes = await PushCombiner(statements, statements=2).push(batch)
    assert list(outcomes) == [batch.items[0].export_id]
    assert statements.ran == [[draft]]


async def test_what_arrives_during_a_statement_goes_with_the_next(statements):
    """And each caller hears of its own draft only, whatever its org."""
    combiner = PushCombiner(statements, statements=1)
    drafts = [uuid4() for _ in range(5)]
    batches = [push_of(each, org=UUID(int=n)) for n, each in enumerate(drafts)]
    tasks = await begin(combiner, *batches)
    statements.go.set()
    answers = await asyncio.gather(*tasks)
    assert statements.ran == [drafts[:1], drafts[1:]]
    assert [list(each) for each in answers] == [[b.items[0].export_id] for b in batches]


async def test_a_draft_asked_for_twice_is_never_twice_in_one_statement(statements):
    """The second one must see what the first one did."""
    combiner = PushCombiner(statements, statements=1)
    first, twice, other = uuid4(), uuid4(), uuid4()
    tasks = await begin(combiner, *(push_of(each) for each in (first, twice, twice, other)))
    statements.go.set()
    await asyncio.gather(*tasks)
    assert statements.ran == [[first], [twice, other], [twice]]


async def test_the_same_draft_id_in_two_orgs_is_two_drafts(statements):
    combiner = PushCombiner(statements, statements=1)
    first, same = uuid4(), uuid4()
    tasks = await begin(combiner, push_of(first), push_of(same), push_of(same, org=UUID(int=2)))
    statements.go.set()
    await asyncio.gather(*tasks)
    assert statements.ran == [[first], [same, same]]


async def test_a_collision_is_its_own_drafts_alone(statements):
    """The others are pushed, one by one, as if it had not been there."""
    combiner = PushCombiner(statements, statements=1)
    first, bad, good = uuid4(), uuid4(), uuid4()
    statements.collides = {bad}
    tasks = await begin(combiner, push_of(first), push_of(bad), push_of(good))
    statements.go.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in answers] == [dict, PushCollision, dict]
    assert statements.ran == [[first], [bad, good], [bad], [good]]


async def test_locked_drafts_that_came_alone_take_nobodys_turn(statements):
    """As many of them as there are statements at once: each waits beside these."""
    combiner = PushCombiner(statements, statements=2)
    locked, other = [uuid4(), uuid4(), uuid4()], uuid4()
    statements.locked = set(locked)
    statements.go.set()
    tasks = []
    for each in locked:
        tasks += await begin(combiner, push_of(each))
    assert await combiner.push(push_of(other))
    assert not any(task.done() for task in tasks)
    statements.unlock.set()
    assert [type(each) for each in await asyncio.gather(*tasks)] == [dict] * 3


async def test_a_draft_under_way_is_not_begun_again(statements):
    """Held by somebody's lock, it would fill every statement with clicks on itself."""
    combiner = PushCombiner(statements, statements=2)
    held, other = uuid4(), uuid4()
    tasks = await begin(combiner, push_of(held), push_of(held), push_of(held), push_of(other))
    assert statements.ran == [[held], [other]]
    statements.go.set()
    await asyncio.gather(*tasks)
    assert statements.ran == [[held], [other], [held], [held]]


async def test_a_database_that_is_away_is_away_for_all_and_then_back(statements):
    combiner = PushCombiner(statements, statements=1)
    tasks = await begin(combiner, push_of(uuid4()), push_of(uuid4()))
    statements.away = True
    statements.go.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in answers] == [Unavailable, Unavailable]
    statements.away = False
    assert await combiner.push(push_of(uuid4()))


async def test_a_caller_that_gives_up_takes_nobody_with_it(statements):
    """Nor the one whose statement it began: the statement is nobody's own."""
    combiner = PushCombiner(statements, statements=1)
    gone, waiting, stays = uuid4(), uuid4(), uuid4()
    tasks = await begin(combiner, push_of(gone), push_of(waiting), push_of(stays))
    tasks[0].cancel()
    tasks[1].cancel()
    await settle()
    statements.go.set()
    assert await tasks[2]
    assert statements.ran == [[gone], [stays]]


async def test_no_statement_grows_beyond_bounds(statements):
    """A large batch goes as it is; many small ones share up to a limit."""
    combiner = PushCombiner(statements, statements=1)
    small = [push_of(uuid4()) for _ in range(100)]
    large = push_of(*(uuid4() for _ in range(500)))
    tasks = await begin(combiner, *small, large)
    statements.go.set()
    await asyncio.gather(*tasks)
    sizes = [len(each) for each in statements.ran]
    assert sizes[0] == 1
    assert max(size for size in sizes if size != 500) <= 64
    assert (sum(sizes), sizes.count(500)) == (600, 1)


async def test_so_many_statements_are_under_way_at_once(statements):
    combiner = PushCombiner(statements, statements=2)
    tasks = [
        task for _ in range(3) for task in await begin(combiner, push_of(uuid4()), push_of(uuid4()))
    ]
    assert [len(each) for each in statements.ran] == [1, 1]
    statements.go.set()
    await asyncio.gather(*tasks)
    assert [len(each) for each in statements.ran] == [1, 1, 4]
