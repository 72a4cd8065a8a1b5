"""What every archive must do, as checks that any test runner can call.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_archive(check, archive):
        await check(archive)

An archive under test is empty. A check raises AssertionError.
"""

import asyncio
from collections.abc import Awaitable, Callable

from countersign_platform.archive.port import Archive, ArchiveConflict, NotArchived

_KEY = "documents/0192f0c1/2026-01-01/a_b-c.json"
_DATA = b'{"name": "\xc3\xa4"}\n'
_BIG = bytes(range(256)) * 64 * 1024

Check = Callable[[Archive], Awaitable[None]]


async def gives_back_the_bytes_that_were_put(archive: Archive) -> None:
    """Every byte, for a small object, an empty one and one of 16 MiB."""
    for key, data in {_KEY: _DATA, "empty": b"", "big/one.bin": _BIG}.items():
        await archive.put(key, data)
        assert await archive.get(key) == data


async def takes_the_same_bytes_again(archive: Archive) -> None:
    """Whoever was killed before the answer came puts once more."""
    await archive.put(_KEY, _DATA)
    await archive.put(_KEY, _DATA)
    assert await archive.get(_KEY) == _DATA


async def refuses_other_bytes_and_keeps_the_first(archive: Archive) -> None:
    """What was archived never changes."""
    await archive.put(_KEY, _DATA)
    for other in (b"", _DATA + b" ", _DATA[:-1]):
        error = await _raised(archive.put(_KEY, other))
        assert isinstance(error, ArchiveConflict)
        assert error.key == _KEY
    assert await archive.get(_KEY) == _DATA


async def many_may_put_the_same_at_once(archive: Archive) -> None:
    """Two relays may send the same row."""
    await asyncio.gather(*(archive.put(_KEY, _DATA) for _ in range(8)))
    assert await archive.get(_KEY) == _DATA


async def each_of_many_at_once_has_its_own_answer(archive: Archive) -> None:
    """A conflict, or a key that is taken already, is no other one's."""
    keys = [f"many/{number % 3}/{number}" for number in range(12)]
    await archive.put(keys[4], b"another's")
    await archive.put(keys[7], keys[7].encode())
    puts = (_raised(archive.put(key, key.encode())) for key in keys)
    errors = await asyncio.gather(*puts)
    assert [type(error) for error in errors if error is not None] == [ArchiveConflict]
    assert await archive.get(keys[4]) == b"another's"
    for key in (*keys[:4], *keys[5:]):
        assert await archive.get(key) == key.encode()


async def says_what_is_not_there(archive: Archive) -> None:
    """Neither a key that nobody put, nor what only begins like one."""
    await archive.put(_KEY, _DATA)
    for key in ("nothing", _KEY + ".old", "documents/0192f0c1"):
        assert not await archive.exists(key)
        error = await _raised(archive.get(key))
        assert isinstance(error, NotArchived)
        assert error.key == key
    assert await archive.exists(_KEY)


async def lists_what_lies_below_a_prefix(archive: Archive) -> None:
    """Whole parts of a key, at any depth."""
    keys = {"a/b/1", "a/b/c/2", "a/bb/3", "d"}
    for key in keys:
        await archive.put(key, b"x")
    assert await _keys(archive, "") == sorted(keys)
    assert await _keys(archive, "a/b") == ["a/b/1", "a/b/c/2"]
    assert await _keys(archive, "a") == ["a/b/1", "a/b/c/2", "a/bb/3"]
    assert await _keys(archive, "d") == []
    assert await _keys(archive, "e/f") == []


async def lists_more_than_one_page(archive: Archive) -> None:
    """Listings are paged behind the port, never in front of it."""
    keys = [f"many/{number:03}" for number in range(120)]
    for key in keys:
        await archive.put(key, b"x")
    assert await _keys(archive, "many") == keys


async def refuses_what_is_no_key(archive: Archive) -> None:
    """No key leads out of the archive, or means two things in two stores."""
    for key in (
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        ".hidden",
        "a/.b",
        "ä",
        "a b",
        "a\0",
        "x" * 513,
    ):
        for call in (archive.put(key, b""), archive.get(key), archive.exists(key)):
            assert isinstance(await _raised(call), ValueError), key


async def _keys(archive: Archive, prefix: str) -> list[str]:
    return sorted([key async for key in archive.list_keys(prefix)])


async def _raised(call: Awaitable[object]) -> Exception | None:
    try:
        await call
    except Exception as error:  # noqa: BLE001 — the caller looks at what it is
        return error
    return None


CHECKS: tuple[Check, ...] = (
    gives_back_the_bytes_that_were_put,
    takes_the_same_bytes_again,
    refuses_other_bytes_and_keeps_the_first,
    many_may_put_the_same_at_once,
    each_of_many_at_once_has_its_own_answer,
    says_what_is_not_there,
    lists_what_lies_below_a_prefix,
    lists_more_than_one_page,
    refuses_what_is_no_key,
)
