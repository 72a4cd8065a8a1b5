"""What a connection may be set to: every malformed field is named, nothing unknown is kept."""

import json

import pytest

from countersign_core.errors import InvalidRequest
from countersign_push.connection_config import check_login, check_secrets, parse_config

KIND = "DROPZONE_JSON_V1"


def complaints(call):
    with pytest.raises(InvalidRequest) as caught:
        call()
    return {error.field: error.description for error in caught.value.field_errors}


@pytest.mark.parametrize(
    "config",
    [
        {"transport": "folder", "export_path": "/srv/drop"},
        {"transport": "folder", "export_path": "/srv/drop", "ack_path": "/srv/acks"},
    ],
)
def test_a_folder_takes_an_export_path_and_maybe_an_ack_path(config):
    assert parse_config(KIND, str(config).replace("'", '"')) == config


@pytest.mark.parametrize(
    "path", ["relative", "./x", "", "/srv/../etc", "..", 5, None, "/a\\u0000b"]
)
def test_a_path_is_absolute_and_goes_nowhere_else(path):
    text = f'"{path}"' if isinstance(path, str) else str(path or "null")
    found = complaints(
        lambda: parse_config(KIND, f'{{"transport": "folder", "export_path": {text}}}')
    )
    assert list(found) == ["config_json.export_path"]


def test_a_write_that_shows_half_a_file_cannot_be_asked_for():
    config = {"transport": "folder", "export_path": "/srv/drop", "atomic_write": True}
    assert parse_config(KIND, json.dumps(config)) == config
    found = complaints(lambda: parse_config(KIND, json.dumps(config | {"atomic_write": False})))
    assert found["config_json.atomic_write"].startswith("must be true")


def test_every_malformed_field_is_reported_at_once():
    found = complaints(
        lambda: parse_config(KIND, '{"transport": "folder", "ack_path": "x", "host": "h", "a": 1}')
    )
    assert found == {
        "config_json.a": "is not known",
        "config_json.ack_path": "must be an absolute path without '..'",
        "config_json.export_path": "is required",
        "config_json.host": "is not known",
    }


@pytest.mark.parametrize("text", ["{", "nope", "[" * 10_000, '{"a": NaNa}'])
def test_what_is_no_json_is_refused(text):
    assert complaints(lambda: parse_config(KIND, text)) == {"config_json": "is not JSON"}


@pytest.mark.parametrize("text", ["[]", "5", '"x"', "null"])
def test_settings_are_an_object(text):
    assert complaints(lambda: parse_config(KIND, text)) == {"config_json": "must be a JSON object"}


@pytest.mark.parametrize("transport", ['"carrier_pigeon"', "null", "[]", "5"])
def test_a_transport_is_one_of_those_known(transport):
    found = complaints(lambda: parse_config(KIND, f'{{"transport": {transport}}}'))
    assert found == {"config_json.transport": "must be one of: folder, sftp"}


def test_a_connector_that_nobody_serves_is_refused():
    found = complaints(lambda: parse_config("CARRIER_PIGEON", "{}"))
    assert found == {
        "connector_type": "must be one of: DROPZONE_JSON_V1, HTTP_JSON_V1,"
        " or a connector that a worker announced"
    }


def test_secrets_have_known_names_and_values_and_never_show_in_a_refusal():
    found = complaints(
        lambda: check_secrets(
            KIND, {"pin": "1234secret", "password": "", "private_key": "x" * 20_001}
        )
    )
    assert set(found) == {"secrets.password", "secrets.pin", "secrets.private_key"}
    assert "1234secret" not in str(found)


def test_an_update_may_remove_a_secret():
    check_secrets(KIND, {"password": ""}, may_remove=True)
    assert complaints(lambda: check_secrets(KIND, {"password": ""}))


HTTP = "HTTP_JSON_V1"


def test_an_http_endpoint_needs_a_url_and_nothing_else():
    assert parse_config(HTTP, '{"url": "https://erp.example/orders"}')
    assert list(complaints(lambda: parse_config(HTTP, "{}"))) == ["config_json"]


@pytest.mark.parametrize("name", ["Host", "AUTHORIZATION", "idempotency-key", "X-Countersign-A"])
def test_a_header_that_the_connector_sets_cannot_be_a_fixed_one(name):
    text = json.dumps({"url": "https://erp.example/", "headers": {"X-Tenant": "a", name: "b"}})
    found = complaints(lambda: parse_config(HTTP, text))
    assert found == {f"config_json.headers.{name}": "is set by the connector itself"}


def test_an_http_endpoint_needs_a_secret_that_cannot_be_guessed():
    config = {"url": "https://erp.example/"}
    check_login(HTTP, config, {"hmac_secret": "s" * 16})
    assert complaints(lambda: check_login(HTTP, config, {"bearer_token": "x"})) == {
        "secrets": "must have hmac_secret"
    }
    short = {"hmac_secret": "s" * 15, "hmac_secret_previous": "1"}
    found = complaints(lambda: check_secrets(HTTP, short))
    assert set(found) == {"secrets.hmac_secret", "secrets.hmac_secret_previous"}
    assert "sss" not in str(found)
