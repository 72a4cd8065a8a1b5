"""Files that are staged, or published, at the same time over one connection of a real server."""

import asyncio
import os
from typing import Any

import pytest

from countersign_export_worker.connectors import sftp_drop
from countersign_export_worker.connectors.sftp_place import MARKER
from countersign_export_worker.errors import (
    DeliveryError,
    NameTaken,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_platform.testing.tcp_proxy import TcpProxy

pytestmark = pytest.mark.integration

MANY = 30


def document(number: int) -> bytes:
    return f"document {number}".encode()


@pytest.fixture
def names(drop_name: Any) -> list[DropName]:
    return [drop_name(number) for number in range(MANY)]


async def stage_all(connector: Any, names: list[DropName]) -> list[Any]:
    """A token or an error of each."""
    return await asyncio.gather(
        *(connector.stage(name, document(number)) for number, name in enumerate(names)),
        return_exceptions=True,
    )


async def publish_all(connector: Any, tokens: list[DropName]) -> list[Any]:
    """None or an error of each."""
    return await asyncio.gather(
        *(connector.publish(token) for token in tokens), return_exceptions=True
    )


async def test_many_at_once_share_a_look_at_the_place(
    either_zone: Any, names: list[DropName], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is its own; the marker is not read thirty times."""
    looks = 0
    read_place = sftp_drop.read_place

    async def counted(folder: Any) -> str | None:
        nonlocal looks
        looks += 1
        return await read_place(folder)

    connector = either_zone.connector
    await stage_all(connector, names[:1])
    monkeypatch.setattr(sftp_drop, "read_place", counted)
    tokens = await stage_all(connector, names)
    assert looks < MANY / 2
    assert either_zone.files() == {
        str(token): document(number) for number, token in enumerate(tokens)
    }
    assert await publish_all(connector, tokens) == [None] * MANY
    assert either_zone.files() == {
        name.final: document(number) for number, name in enumerate(names)
    }


async def test_folder_exchanged_under_many_is_noticed(zone: Any, names: list[DropName]) -> None:
    """Every token names the folder that it lies in, and nothing else lies there."""
    connector = zone.open(connections=2)
    before = await stage_all(connector, names)
    with zone.elsewhere():
        tokens = await stage_all(connector, names)
        place = (zone.folder / MARKER).read_text().strip()
        assert {token.place for token in tokens} == {place} != {before[0].place}
        assert set(zone.files()) == {str(token) for token in tokens}


async def test_who_cannot_be_written_keeps_no_other_from_it(
    zone: Any, names: list[DropName]
) -> None:
    connector = zone.connector
    [token] = await stage_all(connector, names[:1])
    in_the_way = zone.folder / str(names[5].at(token.place))
    in_the_way.mkdir()
    tokens = await stage_all(connector, names)
    errors = {n: each for n, each in enumerate(tokens) if isinstance(each, Exception)}
    assert {number: type(error) for number, error in errors.items()} == {5: TransientDeliveryError}
    in_the_way.rmdir()
    assert len(zone.files()) == MANY - 1


async def test_of_many_published_at_once_each_has_its_own_answer(
    either_zone: Any, names: list[DropName]
) -> None:
    """One whose name a stranger took, one whose token is gone, and the rest."""
    tokens = await stage_all(either_zone.connector, names)
    either_zone.put(tokens[7].final, b"a stranger's")
    either_zone.take(str(tokens[9]))
    answers = await publish_all(either_zone.connector, tokens)
    refused = {number: type(answer) for number, answer in enumerate(answers) if answer is not None}
    assert refused == {7: NameTaken, 9: TokenGone}
    files = either_zone.files()
    assert files.pop(tokens[7].final) == b"a stranger's"
    assert files.pop(str(tokens[7])) == document(7)
    assert files == {
        token.final: document(number)
        for number, token in enumerate(tokens)
        if number not in refused
    }


@pytest.mark.parametrize("sent", [500, 3_000, 9_000, 15_000])
async def test_cut_under_many_loses_and_doubles_nothing(
    sent: int, zone: Any, names: list[DropName]
) -> None:
    """Who was not staged hears of it, and is staged by his next attempt."""
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port, connections=1)
        await stage_all(connector, names[:1])
        proxy.cut_after(sent)
        tokens = await stage_all(connector, names)
        for number, answer in enumerate(tokens):
            if isinstance(answer, Exception):
                assert isinstance(answer, DeliveryError)
                again = DropName(names[number].final, names[number].export_id, 2)
                tokens[number] = await connector.stage(again, document(number))
        proxy.cut_after(sent)
        answers = await publish_all(connector, tokens)
        for token, answer in zip(tokens, answers, strict=True):
            if answer is not None:
                assert await connector.trace(token) in {"STAGED", "PUBLISHED"}
                if await connector.trace(token) == "STAGED":
                    await connector.publish(token)
    published = {name.final: document(number) for number, name in enumerate(names)}
    files = zone.files()
    assert {name: files[name] for name in published} == published
    # A part that a cut left is the sweeper's.
    assert all(name.startswith(".") for name in set(files) - set(published))


async def test_a_large_file_among_small_ones_arrives(zone: Any, names: list[DropName]) -> None:
    connector, large = zone.connector, os.urandom(1_000_000)
    tokens = await asyncio.gather(
        *(
            connector.stage(name, large if number == 3 else document(number))
            for number, name in enumerate(names)
        )
    )
    assert await publish_all(connector, tokens) == [None] * MANY
    assert zone.files()[names[3].final] == large
