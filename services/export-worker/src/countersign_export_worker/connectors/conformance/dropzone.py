"""Checks for connectors that write a file and rename it into view.

A harness gives a connector on an empty dropzone, and shows and changes the dropzone as the
ERP sees it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from countersign_export_worker.connectors.conformance.expecting import raises
from countersign_export_worker.errors import NameTaken, TokenGone, TransientDeliveryError
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import ErpConnectorPort, Whereabouts

_EXPORT = UUID("0192f0c1-0000-7000-8000-000000000001")
_FINAL = "sales_order_0192f0c1_20260101T000000Z_0192f0c1.json"
_DOCUMENT = b'{"lines": ["\xc3\xa4"]}' * 1000


class DropzoneHarness(Protocol):
    """A dropzone under test."""

    connector: ErpConnectorPort

    def files(self) -> Mapping[str, bytes]:
        """Every file there, hidden ones included."""

    def put(self, name: str, data: bytes) -> None:
        """Have somebody else write a file."""

    def take(self, name: str) -> None:
        """Have the ERP pick a file up."""

    def elsewhere(self) -> AbstractContextManager[None]:
        """While it is entered, another, empty folder answers in the dropzone's stead."""


Check = Callable[[DropzoneHarness], Awaitable[None]]


def _name(fence: int = 1) -> DropName:
    return DropName(_FINAL, _EXPORT, fence)


async def staged_file_is_whole_and_hidden(zone: DropzoneHarness) -> None:
    """After stage, exactly the temporary file is there, with every byte."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    assert zone.files() == {str(token): _DOCUMENT}
    assert str(token).startswith(".")
    assert token == _name().at(token.place)


async def staging_again_under_one_fence_writes_anew(zone: DropzoneHarness) -> None:
    """A lease's own failed try is in nobody's way."""
    await zone.connector.stage(_name(), b"half")
    token = await zone.connector.stage(_name(), _DOCUMENT)
    assert zone.files() == {str(token): _DOCUMENT}


async def publish_renames_the_token(zone: DropzoneHarness) -> None:
    """After publish, exactly the final file is there, with every byte."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    await zone.connector.publish(token)
    assert zone.files() == {_FINAL: _DOCUMENT}


async def token_is_taken_once(zone: DropzoneHarness) -> None:
    """Whoever comes second, to publish or to withdraw, finds the token gone."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    await zone.connector.publish(token)
    with raises(TokenGone):
        await zone.connector.publish(token)
    with raises(TokenGone):
        await zone.connector.withdraw(token)
    assert zone.files() == {_FINAL: _DOCUMENT}


async def token_is_taken_once_though_the_erp_was_quick(zone: DropzoneHarness) -> None:
    """A file that was picked up is not published again."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    await zone.connector.publish(token)
    zone.take(_FINAL)
    with raises(TokenGone):
        await zone.connector.publish(token)
    assert zone.files() == {}


async def withdrawn_token_cannot_be_published(zone: DropzoneHarness) -> None:
    """A token that was taken back is kept under its withdrawn name."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    await zone.connector.withdraw(token)
    with raises(TokenGone):
        await zone.connector.publish(token)
    assert zone.files() == {str(token.taken_back()): _DOCUMENT}


async def publish_overwrites_nothing(zone: DropzoneHarness) -> None:
    """A stranger's file under the final name stays, and so does the token."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    zone.put(_FINAL, b"a stranger's")
    with raises(NameTaken):
        await zone.connector.publish(token)
    assert zone.files() == {_FINAL: b"a stranger's", str(token): _DOCUMENT}


async def trace_tells_the_four_places_apart(zone: DropzoneHarness) -> None:
    """Staged, withdrawn, published, gone."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    assert await zone.connector.trace(token) is Whereabouts.STAGED
    await zone.connector.publish(token)
    assert await zone.connector.trace(token) is Whereabouts.PUBLISHED
    zone.take(_FINAL)
    assert await zone.connector.trace(token) is Whereabouts.GONE
    second = await zone.connector.stage(_name(fence=2), _DOCUMENT)
    await zone.connector.withdraw(second)
    assert await zone.connector.trace(second) is Whereabouts.WITHDRAWN


async def discard_removes_one_file_and_can_be_repeated(zone: DropzoneHarness) -> None:
    """Only the named file goes; a second time nothing happens."""
    first = await zone.connector.stage(_name(), _DOCUMENT)
    second = await zone.connector.stage(_name(fence=2), _DOCUMENT)
    await zone.connector.discard(first)
    await zone.connector.discard(first)
    assert zone.files() == {str(second): _DOCUMENT}


async def leftovers_are_ours_and_nothing_else(zone: DropzoneHarness) -> None:
    """Temporary and withdrawn files are listed; final and strangers' files are not."""
    first = await zone.connector.stage(_name(), _DOCUMENT)
    second = await zone.connector.stage(_name(fence=2), _DOCUMENT)
    third = await zone.connector.stage(_name(fence=3), _DOCUMENT)
    await zone.connector.withdraw(second)
    await zone.connector.publish(third)
    zone.put(".somebody.tmp", b"")
    zone.put("sales_order_by_hand.json", b"")
    listed = await zone.connector.list_leftovers()
    assert set(listed) == {first, second.taken_back()}
    assert len(listed) == len(set(listed))


async def another_folder_is_not_a_folder_the_token_left(zone: DropzoneHarness) -> None:
    """Where a share is not mounted, nobody concludes that the file was delivered."""
    token = await zone.connector.stage(_name(), _DOCUMENT)
    with zone.elsewhere():
        for act in (zone.connector.publish, zone.connector.withdraw, zone.connector.trace):
            with raises(TransientDeliveryError) as caught:
                await act(token)
            assert caught[0].code == "FOLDER_CHANGED"
    await zone.connector.publish(token)
    assert zone.files() == {_FINAL: _DOCUMENT}


async def connection_test_passes_and_leaves_nothing(zone: DropzoneHarness) -> None:
    """The test does what a delivery does and cleans up."""
    report = await zone.connector.test_connection()
    assert report.ok, report
    assert report.failure == report.message == ""
    assert report.steps
    assert all(step.ok and step.duration_ms >= 0 for step in report.steps)
    assert zone.files() == {}


CHECKS: tuple[Check, ...] = (
    staged_file_is_whole_and_hidden,
    staging_again_under_one_fence_writes_anew,
    publish_renames_the_token,
    token_is_taken_once,
    token_is_taken_once_though_the_erp_was_quick,
    withdrawn_token_cannot_be_published,
    publish_overwrites_nothing,
    trace_tells_the_four_places_apart,
    discard_removes_one_file_and_can_be_repeated,
    leftovers_are_ours_and_nothing_else,
    another_folder_is_not_a_folder_the_token_left,
    connection_test_passes_and_leaves_nothing,
)
