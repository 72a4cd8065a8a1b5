"""A wrong address of an archive stops the start, in one line."""

import pytest

from countersign_platform.archive.opening import open_archive
from countersign_platform.settings import ArchiveSettings, load


@pytest.mark.parametrize(
    "url",
    ["file://relative/folder", "file:///", "/srv/archive", "s3://", "https://x/y", "az://"],
)
def test_wrong_url_is_one_line(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERSIGN_ARCHIVE_URL", url)
    with pytest.raises(SystemExit):
        load(ArchiveSettings)
    assert capsys.readouterr().err.startswith(
        "countersign: setting COUNTERSIGN_ARCHIVE_URL: must be file:///folder"
    )


@pytest.mark.parametrize(
    "url", ["s3://bucket/some/path", "gs://bucket", "az://container/some/path"]
)
def test_object_stores_are_opened_by_url_without_asking_them(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert open_archive(ArchiveSettings(archive_url=url)) is not None


def test_variable_that_the_store_cannot_read_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CONDITIONAL_PUT", "sometimes")
    with pytest.raises(ValueError, match="sometimes"):
        open_archive(ArchiveSettings(archive_url="s3://bucket"))
