"""A plug-in's schema is held to what push can check by itself."""

import json
from uuid import uuid4

import pytest

from countersign.push.v1 import connection_service_pb2 as pb
from countersign.push.v1 import work_service_pb2 as work_pb
from countersign_core.errors import CountersignError, InvalidRequest

pytestmark = pytest.mark.integration


def announcement(schema, name="SPOOL_V1"):
    connector = pb.ConnectorType(
        connector_type=name, config_schema_json=json.dumps(schema), secret_names=["token"]
    )
    return work_pb.AnnounceConnectorsRequest(worker_id="w1", connectors=[connector])


@pytest.mark.parametrize(
    "schema",
    [
        [],
        {"type": "no such type"},
        {"properties": {"a": {"$ref": "https://schemas.example/a.json"}}},
        {"allOf": [{"items": {"$dynamicRef": "file:///etc/passwd"}}]},
    ],
    ids=["no object", "no schema", "remote", "file"],
)
async def test_a_schema_that_is_none_or_leaves_itself_is_refused(worker, integrator_any, schema):
    """Nothing is ever fetched, and nothing of it is kept."""
    with pytest.raises(CountersignError) as caught:
        await worker.call("AnnounceConnectors", announcement(schema))
    assert [each.field for each in caught.value.field_errors] == ["config_schema_json"]
    listed = await integrator_any.call("ListConnectors", pb.ListConnectorsRequest())
    assert "SPOOL_V1" not in [each.connector_type for each in listed.connectors]


async def test_a_reference_inside_the_schema_works(worker, integrator_any, folder):
    """$defs of its own."""
    schema = {"properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}
    await worker.call("AnnounceConnectors", announcement(schema))
    bad = folder(connector_type="SPOOL_V1", config_json='{"n": "x"}')
    with pytest.raises(InvalidRequest) as caught:
        await integrator_any.call("CreateConnection", bad)
    assert [each.field for each in caught.value.field_errors] == ["config_json.n"]


async def test_what_nobody_announced_for_a_day_takes_no_new_connection(
    worker, integrator_any, folder, queue
):
    """The worker that had it is gone."""
    await worker.call("AnnounceConnectors", announcement({"type": "object"}))
    await queue.sql.execute("UPDATE push.connectors SET announced_at = now() - interval '25 hours'")
    with pytest.raises(CountersignError) as caught:
        await integrator_any.call(
            "CreateConnection", folder(connector_type="SPOOL_V1", config_json="{}")
        )
    assert [each.field for each in caught.value.field_errors] == ["connector_type"]


@pytest.fixture
def integrator_any(site):
    """A person of some org."""
    return site.integrator(uuid4())


async def test_the_last_way_to_log_in_cannot_be_removed(integrator_any, folder):
    """An update is held to the same rules as a new connection."""
    config = {
        "transport": "sftp",
        "export_path": "/in",
        "host": "erp.example",
        "username": "u",
        "host_keys": [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
        ],
    }
    request = folder(config_json=json.dumps(config), secrets={"password": "hunter2"})
    made = (await integrator_any.call("CreateConnection", request)).connection
    change = pb.UpdateConnectionRequest(erp_connection_id=made.id, secrets={"password": ""})
    with pytest.raises(CountersignError) as caught:
        await integrator_any.call("UpdateConnection", change)
    assert [each.field for each in caught.value.field_errors] == ["secrets"]
