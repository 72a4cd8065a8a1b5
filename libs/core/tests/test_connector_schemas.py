"""The schemas of connection settings are in the package, sound, and strict."""

import pytest
from jsonschema import Draft202012Validator

from countersign_core.connector_schemas import BUILT_IN_CONNECTORS, connector_schema

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCBub3QgYSBrZXkgYXQgYWxsIGJ1dCAzMg=="
FOLDER = {"transport": "folder", "export_path": "/drop"}
SFTP = {**FOLDER, "transport": "sftp", "host": "erp", "username": "us", "host_keys": [KEY]}
HTTP = {"url": "https://erp.example/orders?client=100"}


def accepts(connector_type, settings):
    return Draft202012Validator(connector_schema(connector_type)).is_valid(settings)


@pytest.mark.parametrize("connector_type", BUILT_IN_CONNECTORS)
def test_every_schema_is_a_schema(connector_type):
    """A schema that is none would let everything pass."""
    Draft202012Validator.check_schema(connector_schema(connector_type))


def test_an_unknown_connector_has_no_schema():
    """A plug-in brings its own."""
    with pytest.raises(KeyError):
        connector_schema("../OTHER")


@pytest.mark.parametrize(
    "settings",
    [
        FOLDER,
        {**FOLDER, "atomic_write": True, "done_file": ".ok", "file_permissions": "0640"},
        {**FOLDER, "temporary_path": "/drop/..tmp", "ack_path": "/acks", "ack_mode": "presence"},
        SFTP,
        {**SFTP, "port": 2222, "host_keys": [KEY, KEY], "keepalive_seconds": 1.5},
    ],
)
def test_dropzone_settings_are_accepted(settings):
    """What the connector can work with can be saved."""
    assert accepts("DROPZONE_JSON_V1", settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"transport": "folder"},
        {**FOLDER, "transport": "ftp"},
        {**FOLDER, "export_path": "drop"},
        {**FOLDER, "export_path": "/drop/../etc"},
        {**FOLDER, "export_path": "/drop/.."},
        {**FOLDER, "host": "erp"},
        {**FOLDER, "atomic_write": False},
        {**FOLDER, "export_paht": "/drop"},
        {**FOLDER, "temporary_suffix": "withdrawn"},
        {**FOLDER, "done_file": "ok"},
        {**FOLDER, "file_permissions": 644},
        {**SFTP, "host_keys": []},
        {**SFTP, "host_keys": [KEY, KEY, KEY]},
        {**SFTP, "host_keys": ["erp ssh-ed25519 AAAA"]},
        {**SFTP, "port": 0},
        {**SFTP, "transfer_timeout_seconds": 0},
        {key: value for key, value in SFTP.items() if key != "host_keys"},
    ],
)
def test_other_dropzone_settings_are_refused(settings):
    """A misspelt key is refused, not ignored."""
    assert not accepts("DROPZONE_JSON_V1", settings)


@pytest.mark.parametrize(
    "settings",
    [
        HTTP,
        {"url": "http://erp:8080/in", "allow_insecure": True},
        {**HTTP, "headers": {"X-Client": "100"}, "accepted_statuses": [200]},
        {**HTTP, "allow_private_addresses": True},
    ],
)
def test_http_settings_are_accepted(settings):
    """What the connector can work with can be saved."""
    assert accepts("HTTP_JSON_V1", settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "http://erp/in"},
        {"url": "http://erp/in", "allow_insecure": False},
        {"url": "ftp://erp/in", "allow_insecure": True},
        {"url": "https://user@erp/in"},
        {"url": "https://erp/in#part"},
        {**HTTP, "headers": {"X-A": "b\r\nX-C: d"}},
        {**HTTP, "headers": {"X A": "b"}},
        {**HTTP, "accepted_statuses": [302]},
        {**HTTP, "accepted_statuses": []},
        {**HTTP, "timeout_seconds": 301},
        {**HTTP, "verify": False},
    ],
)
def test_other_http_settings_are_refused(settings):
    """No plain http by accident, no headers within headers, no redirects as success."""
    assert not accepts("HTTP_JSON_V1", settings)
