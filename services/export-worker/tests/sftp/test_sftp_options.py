"""Temporary folders, done-files, and what a server's death in mid-rename leaves."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from countersign_export_worker.connectors.sftp_place import MARKER
from countersign_export_worker.errors import NameTaken, TokenGone, TransientDeliveryError
from countersign_export_worker.ports import Whereabouts

pytestmark = pytest.mark.integration
DOCUMENT = b'{"lines": []}'


def _work_folder(zone: Any) -> tuple[Path, Any]:
    """Where temporary files go, which nobody made yet."""
    folder = zone.folder / "work"
    return folder, zone.settings().options.export_path / "work"


async def test_temporary_folder_is_made_with_its_permissions(zone: Any, drop_name: Any) -> None:
    """The ERP's folder shows finished files alone, the place's marker included."""
    folder, path = _work_folder(zone)
    connector = zone.open(temporary_path=path, folder_mode=0o700)
    assert await connector.list_leftovers() == []
    token = await connector.stage(drop_name(), DOCUMENT)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in zone.folder.iterdir()] == ["work"]
    assert await connector.list_leftovers() == [token]
    await connector.publish(token)
    assert zone.files() == {token.final: DOCUMENT}
    with pytest.raises(TokenGone):
        await connector.withdraw(token)
    assert await connector.trace(token) is Whereabouts.PUBLISHED


async def test_token_is_found_though_the_temporary_folder_was_set_since(
    zone: Any, drop_name: Any
) -> None:
    """Settings change while an export is under way; its token is where it was."""
    _, path = _work_folder(zone)
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    changed = zone.open(temporary_path=path)
    assert await changed.trace(token) is Whereabouts.STAGED
    assert await changed.list_leftovers() == [token]
    await changed.publish(token)
    assert zone.files() == {token.final: DOCUMENT}


async def test_token_in_a_temporary_folder_that_is_no_longer_set_is_not_gone(
    zone: Any, drop_name: Any
) -> None:
    """Nobody concludes from a folder that the token was never in."""
    _, path = _work_folder(zone)
    token = await zone.open(temporary_path=path).stage(drop_name(), DOCUMENT)
    changed = zone.open()
    for act in (changed.publish, changed.withdraw, changed.trace):
        with pytest.raises(TransientDeliveryError) as caught:
            await act(token)
        assert caught.value.code == "FOLDER_CHANGED"


async def test_done_file_follows_the_document(either_zone: Any, drop_name: Any) -> None:
    """An empty file, once, and after the document."""
    zone = either_zone
    connector = zone.open(done_suffix=".ok")
    token = await connector.stage(drop_name(), DOCUMENT)
    assert all(name.startswith(".") for name in zone.files())
    assert await connector.list_leftovers() == [token]
    await connector.publish(token)
    assert zone.files() == {token.final: DOCUMENT, f"{token.final}.ok": b""}


async def test_done_file_that_a_crash_kept_back_is_shown_later(
    either_zone: Any, drop_name: Any
) -> None:
    """The document was published, its publisher died: whoever looks ends the work, once."""
    zone = either_zone
    connector = zone.open(done_suffix=".ok")
    token = await connector.stage(drop_name(), DOCUMENT)
    (zone.folder / str(token)).rename(zone.folder / token.final)
    assert await connector.trace(token) is Whereabouts.PUBLISHED
    assert zone.files() == {token.final: DOCUMENT, f"{token.final}.ok": b""}
    zone.take(f"{token.final}.ok")
    assert await connector.trace(token) is Whereabouts.PUBLISHED
    assert zone.files() == {token.final: DOCUMENT}


async def test_withdrawn_export_shows_no_done_file(either_zone: Any, drop_name: Any) -> None:
    """Nor does its token stay behind."""
    zone = either_zone
    connector = zone.open(done_suffix=".ok")
    token = await connector.stage(drop_name(), DOCUMENT)
    await connector.withdraw(token)
    assert zone.files() == {str(token.taken_back()): DOCUMENT}
    await connector.discard(token.taken_back())
    assert zone.files() == {}


async def test_discard_takes_the_done_token_along(zone: Any, drop_name: Any) -> None:
    """Nothing of a staged export stays behind for ever."""
    connector = zone.open(done_suffix=".ok")
    await connector.discard(await connector.stage(drop_name(), DOCUMENT))
    assert zone.files() == {}


async def test_stranger_under_the_done_name_stops_the_publish(zone: Any, drop_name: Any) -> None:
    """It would announce a document that is not there, or be overwritten."""
    connector = zone.open(done_suffix=".ok")
    token = await connector.stage(drop_name(), DOCUMENT)
    zone.put(f"{token.final}.ok", b"a stranger's")
    with pytest.raises(NameTaken):
        await connector.publish(token)
    assert token.final not in zone.files()


async def test_take_that_a_dying_server_half_did_is_carried_through(
    plain_zone: Any, drop_name: Any
) -> None:
    """Token and taken name are there: the token is still to be had, once."""
    zone = plain_zone
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    os.link(zone.folder / str(token), zone.folder / f"{token}.taken")
    assert await zone.connector.trace(token) is Whereabouts.STAGED
    await zone.connector.publish(token)
    assert zone.files() == {token.final: DOCUMENT}


async def test_publish_between_its_two_renames_is_carried_through_by_who_looks(
    plain_zone: Any, drop_name: Any
) -> None:
    """The publisher died; nobody can withdraw any more."""
    zone = plain_zone
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    (zone.folder / str(token)).rename(zone.folder / f"{token}.taken")
    with pytest.raises(TokenGone):
        await zone.connector.withdraw(token)
    assert await zone.connector.trace(token) is Whereabouts.PUBLISHED
    assert zone.files() == {token.final: DOCUMENT}


async def test_second_rename_that_a_dying_server_half_did_is_carried_through(
    plain_zone: Any, drop_name: Any
) -> None:
    """Taken and final name are one file: the taken one goes."""
    zone = plain_zone
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    (zone.folder / str(token)).rename(zone.folder / f"{token}.taken")
    os.link(zone.folder / f"{token}.taken", zone.folder / token.final)
    assert await zone.connector.trace(token) is Whereabouts.PUBLISHED
    assert zone.files() == {token.final: DOCUMENT}


async def test_withdrawal_that_a_dying_server_half_did_is_carried_through(
    plain_zone: Any, drop_name: Any
) -> None:
    """Token and withdrawn name are there: it can be withdrawn, and not published."""
    zone = plain_zone
    for number, act in enumerate((zone.connector.withdraw, zone.connector.publish)):
        token = await zone.connector.stage(drop_name(number), DOCUMENT)
        os.link(zone.folder / str(token), zone.folder / str(token.taken_back()))
        if number == 0:
            await act(token)
        else:
            with pytest.raises(TokenGone):
                await act(token)
        assert await zone.connector.trace(token) is Whereabouts.WITHDRAWN
        assert zone.files() == {str(token.taken_back()): DOCUMENT}
        await zone.connector.discard(token.taken_back())


async def test_stranger_who_comes_between_the_two_renames_gets_nothing_overwritten(
    plain_zone: Any, drop_name: Any
) -> None:
    """The token is given back, as if publish had seen the stranger at once."""
    zone = plain_zone
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    (zone.folder / str(token)).rename(zone.folder / f"{token}.taken")
    zone.put(token.final, b"a stranger's")
    with pytest.raises(NameTaken):
        await zone.connector.trace(token)
    assert zone.files() == {token.final: b"a stranger's", str(token): DOCUMENT}


async def test_taken_file_is_a_leftover_of_its_token(plain_zone: Any, drop_name: Any) -> None:
    """When push says that nobody needs the token, what it became goes with it."""
    zone = plain_zone
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    (zone.folder / str(token)).rename(zone.folder / f"{token}.taken")
    assert await zone.connector.list_leftovers() == [token]
    await zone.connector.discard(token)
    assert zone.files() == {}


async def test_place_outlives_connections_and_workers(zone: Any, drop_name: Any) -> None:
    """The folder keeps its identity, whoever stages."""
    tokens = [await zone.open().stage(drop_name(number), DOCUMENT) for number in range(3)]
    assert len({token.place for token in tokens}) == 1
    assert (zone.folder / ".countersign-place").read_text() == f"{tokens[0].place}\n"


async def test_marker_without_content_is_made_anew(zone: Any, drop_name: Any) -> None:
    """Whoever made it died before writing it; the next try works."""
    marker = zone.folder / ".countersign-place"
    marker.touch()
    zone.server.give(marker)
    with pytest.raises(TransientDeliveryError):
        await zone.connector.stage(drop_name(), DOCUMENT)
    await zone.connector.stage(drop_name(), DOCUMENT)
    assert len(marker.read_text()) == 17


async def test_rename_at_work_is_not_taken_for_a_dead_one(plain_zone: Any, drop_name: Any) -> None:
    """Removing the first name under it would have the server remove the second: a lost file."""
    zone = plain_zone
    token = await zone.connector.stage(drop_name(), DOCUMENT)
    os.link(zone.folder / str(token), zone.folder / f"{token}.taken")
    publishing = asyncio.create_task(zone.connector.publish(token))
    done, _ = await asyncio.wait({publishing}, timeout=0.5)
    assert not done
    assert set(zone.files()) == {str(token), f"{token}.taken"}
    (zone.folder / str(token)).unlink()
    with pytest.raises(TokenGone):
        await publishing
    assert await zone.connector.trace(token) is Whereabouts.PUBLISHED
    assert zone.files() == {token.final: DOCUMENT}


async def test_token_names_the_folder_that_stands_there_now_whatever_the_connection_knew(
    zone: Any, drop_name: Any
) -> None:
    """A folder that was exchanged between two files: nothing is left under the old name."""
    first = await zone.connector.stage(drop_name(1), b"{}")
    with zone.elsewhere():
        second = await zone.connector.stage(drop_name(2), b"{}")
        assert set(zone.files()) == {str(second)}
        assert second.place != first.place
        assert (zone.folder / MARKER).read_text() == f"{second.place}\n"
        await zone.connector.publish(second)
    third = await zone.connector.stage(drop_name(3), b"{}")
    assert third.place == first.place
