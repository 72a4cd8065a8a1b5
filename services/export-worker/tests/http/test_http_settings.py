"""Settings that the connector cannot use are refused before anything is sent."""

import json

import pytest

from countersign_core.connector_schemas import connector_schema
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.http_settings import http_settings
from countersign_export_worker.errors import PermanentDeliveryError
from countersign_export_worker.testing.samples import CONNECTION, ORG

SECRETS = {"hmac_secret": "s" * 20}
URL = "https://erp.example/orders"


def settings(secrets=None, /, **config):
    text = json.dumps({"url": URL, **config})
    return http_settings(
        ConnectionAccess(CONNECTION, ORG, "HTTP_JSON_V1", text, secrets or SECRETS)
    )


@pytest.mark.parametrize(
    "config",
    [
        {"url": None},
        {"url": 5},
        {"url": ""},
        {"url": "erp.example/orders"},
        {"url": "http://erp.example/orders"},
        {"url": "ftp://erp.example/orders", "allow_insecure": True},
        {"url": "file:///etc/passwd", "allow_insecure": True},
        {"url": "https://"},
        {"url": "https://user:secret@erp.example/"},
        {"url": "https://erp.example/#part"},
        {"url": "https://erp.example:0/"},
        {"url": "https://erp.example:99999/"},
        {"url": "https://[::1/"},
        {"timeout_seconds": 0},
        {"timeout_seconds": 301},
        {"timeout_seconds": True},
        {"timeout_seconds": "5"},
        {"headers": []},
        {"headers": {"Host": "other"}},
        {"headers": {"idempotency-KEY": "1"}},
        {"headers": {"Authorization": "Basic eA=="}},
        {"headers": {"X-Countersign-Signature": "t=1"}},
        {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"headers": {"X A": "1"}},
        {"headers": {"X-A": 1}},
        {"accepted_statuses": []},
        {"accepted_statuses": [302]},
        {"accepted_statuses": "200"},
        {"allow_private_addresses": "yes"},
        {"allow_insecure": 1},
        {"tls_ca": "no certificate"},
        {"tls_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"tls_ca": 5},
    ],
)
def test_unusable_settings_are_a_permanent_failure(config):
    with pytest.raises(PermanentDeliveryError) as caught:
        settings(**config)
    assert caught.value.code == "BAD_CONFIG"


@pytest.mark.parametrize(
    "secrets",
    [
        {"bearer_token": "x"},
        {"hmac_secret": "s" * 20, "bearer_token": "two words"},
        {"hmac_secret": "s" * 20, "bearer_token": "a\r\nX-B: 2"},
    ],
)
def test_unusable_secrets_are_a_permanent_failure_that_does_not_show_them(secrets):
    with pytest.raises(PermanentDeliveryError) as caught:
        settings(secrets)
    assert caught.value.code == "BAD_CONFIG"
    assert "X-B" not in caught.value.message


def test_the_defaults_are_those_of_the_schema():
    """What the guide and a console show is what happens."""
    defaults = {
        name: each["default"]
        for name, each in connector_schema("HTTP_JSON_V1")["properties"].items()
        if "default" in each
    }
    made = settings()
    assert defaults == {
        "allow_insecure": False,
        "timeout_seconds": made.timeout,
        "headers": made.headers,
        "allow_private_addresses": made.allow_private,
        "accepted_statuses": sorted(made.accepted),
    }


def test_secrets_do_not_show_in_a_representation():
    assert "s" * 20 not in repr(settings({"hmac_secret": "s" * 20, "bearer_token": "t" * 20}))
    assert "t" * 20 not in repr(settings({"hmac_secret": "s" * 20, "bearer_token": "t" * 20}))
