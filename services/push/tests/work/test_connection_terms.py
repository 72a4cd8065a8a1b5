"""Terms, pausing and health of connections, as ConnectionService and WorkService keep them."""

import json
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import connection_service_pb2 as pb
from countersign.push.v1 import work_service_pb2 as work_pb
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration


@pytest.fixture
def org():
    return uuid4()


@pytest.fixture
def integrator(site, org):
    return site.integrator(org)


@pytest.fixture
async def connection(integrator, folder):
    return (await integrator.call("CreateConnection", folder())).connection


async def test_terms_are_kept_and_replaced_whole(integrator, folder):
    """What is not set is the installation's; a new set of terms does not mix with the old one."""
    terms = pb.DeliveryTerms(max_attempts=3, first_delay_seconds=0.5, ack_sla_seconds=3600)
    made = (await integrator.call("CreateConnection", folder(terms=terms))).connection
    assert made.terms == terms
    request = pb.UpdateConnectionRequest(
        erp_connection_id=made.id, terms=pb.DeliveryTerms(concurrency=2)
    )
    changed = (await integrator.call("UpdateConnection", request)).connection
    assert changed.terms == pb.DeliveryTerms(concurrency=2)


async def test_pause_and_resume_say_why_on_record(queue, integrator, connection, org):
    """ACTIVE → PAUSED → ACTIVE, each once, with the reason in the trail."""
    for method, reason in (("PauseConnection", "ERP upgrade"), ("ResumeConnection", "done")):
        request = getattr(pb, f"{method}Request")
        for _ in range(2):
            stored = await integrator.call(
                method, request(erp_connection_id=connection.id, reason=reason)
            )
    assert stored.connection.status == pb.CONNECTION_STATUS_ACTIVE
    acts = [json.loads(act.after_json) for act in (await queue.acts(org))[1:]]
    assert [(act["status"], act["reason"]) for act in acts] == [
        ("PAUSED", "ERP upgrade"),
        ("ACTIVE", "done"),
    ]


async def test_a_disabled_connection_is_neither_paused_nor_resumed(integrator, connection):
    """CONNECTION_WRONG_STATE with the statuses that would do."""
    named = {"erp_connection_id": connection.id}
    await integrator.call("DisableConnection", pb.DisableConnectionRequest(**named))
    for method in ("PauseConnection", "ResumeConnection"):
        with pytest.raises(CountersignError) as caught:
            await integrator.call(method, getattr(pb, f"{method}Request")(**named))
        assert caught.value.reason is Reason.CONNECTION_WRONG_STATE
        assert caught.value.metadata["allowed"] == "ACTIVE,PAUSED"


async def test_a_worker_says_whether_the_server_answers(integrator, worker, connection, org):
    """Operators see it; the version does not move."""
    report = work_pb.ReportConnectionHealthRequest(
        org_id=str(org),
        erp_connection_id=connection.id,
        worker_id="w1",
        breaker=pb.BREAKER_STATE_OPEN,
        error=work_pb.AttemptError(code="UNREACHABLE", message="Nobody answers."),
    )
    await worker.call("ReportConnectionHealth", report)
    request = pb.GetConnectionRequest(erp_connection_id=connection.id)
    seen = (await integrator.call("GetConnection", request)).connection
    assert (seen.health.breaker, seen.health.failure) == (pb.BREAKER_STATE_OPEN, "UNREACHABLE")
    assert seen.version == connection.version


async def test_backoff_and_last_attempt_follow_the_connections_own_terms(queue, worker):
    """Two attempts, and a first delay of an hour, whatever the installation says."""
    org = uuid4()
    connection = await queue.connection(org, max_attempts=2, first_delay_seconds=3600.0,
                                        longest_delay_seconds=7200.0)  # fmt: skip
    [export] = await queue.pending(org, connection)
    first = await worker.claim(org, export)
    assert not first.last_attempt
    await worker.call(
        "ReportDeferred",
        work_pb.ReportDeferredRequest(
            lease=first.lease, error=work_pb.AttemptError(code="UNREACHABLE", message="x")
        ),
    )
    waits = await queue.sql.fetchval(
        "SELECT extract(epoch FROM next_attempt_at - now()) FROM push.exports WHERE id = $1", export
    )
    assert 2000 < waits <= 3600
    await queue.make_due(export)
    assert (await worker.claim(org, export)).last_attempt


async def test_answers_are_looked_for_by_one_worker_at_a_time(queue, worker):
    """A connection that was claimed is nobody else's until the look ends or its lease runs out."""
    org = uuid4()
    connection = await queue.connection(
        org, config='{"transport": "folder", "export_path": "/x", "ack_path": "/y"}'
    )
    await queue.connection(uuid4())  # no ack_path: nowhere to look

    async def claim():
        request = work_pb.ClaimAckPollsRequest(worker_id="w1", max_connections=10)
        return [each.id for each in (await worker.call("ClaimAckPolls", request)).connections]

    async def report(more):
        await worker.call(
            "ReportAckPoll",
            work_pb.ReportAckPollRequest(
                org_id=str(org), erp_connection_id=str(connection), worker_id="w1", more=more
            ),
        )

    assert await claim() == [str(connection)]
    assert await claim() == []
    await report(more=True)
    assert await claim() == [str(connection)]
    await report(more=False)
    assert await claim() == []
    await queue.sql.execute("UPDATE push.erp_connections SET ack_poll_due_at = now()")
    assert await claim() == [str(connection)]
    await queue.sql.execute("UPDATE push.erp_connections SET ack_poll_leased_until = now()")
    assert await claim() == [str(connection)]


async def test_what_made_no_sense_is_remembered_from_look_to_look(queue, worker):
    """Since when an answer is as it is, whoever looked; a changed one starts anew."""
    org = uuid4()
    connection = await queue.connection(
        org, config='{"transport": "folder", "export_path": "/x", "ack_path": "/y"}'
    )

    async def claim(name):
        request = work_pb.ClaimAckPollsRequest(worker_id=name, max_connections=10)
        reply = await worker.call("ClaimAckPolls", request)
        assert [each.id for each in reply.connections] == [str(connection)]
        return {
            answer.name: (answer.state, answer.unchanged_seconds)
            for each in reply.unsettled
            for answer in each.answers
        }

    async def report(name, **states):
        answers = [work_pb.UnsettledAnswer(name=key, state=value) for key, value in states.items()]
        await worker.call(
            "ReportAckPoll",
            work_pb.ReportAckPollRequest(
                org_id=str(org),
                erp_connection_id=str(connection),
                worker_id=name,
                more=True,
                unsettled=answers,
            ),
        )

    assert await claim("w1") == {}
    await report("w1", a="1", b="1", c="1")
    await queue.sql.execute(
        "UPDATE push.erp_connections SET acks_unsettled = (SELECT jsonb_object_agg(key,"
        " jsonb_set(value, '{since}', to_jsonb((value ->> 'since')::numeric - 100)))"
        " FROM jsonb_each(acks_unsettled)) WHERE id = $1",
        connection,
    )
    assert set(await claim("w2")) == {"a", "b", "c"}
    await report("w2", a="1", b="2")
    seen = await claim("w1")
    assert {name: state for name, (state, _) in seen.items()} == {"a": "1", "b": "2"}
    assert seen["a"][1] >= 100
    assert 0 <= seen["b"][1] < 100


async def test_a_plug_in_that_a_worker_announced_can_be_used(integrator, worker, folder):
    """Its settings are held to its own schema; nobody announces over a built-in connector."""
    schema = {
        "type": "object",
        "required": ["spool"],
        "properties": {"spool": {"type": "string"}},
        "additionalProperties": False,
    }

    def connector(name):
        return pb.ConnectorType(
            connector_type=name, config_schema_json=json.dumps(schema), secret_names=["token"]
        )

    announcement = work_pb.AnnounceConnectorsRequest(
        worker_id="w1", connectors=[connector("SPOOL_V1"), connector("DROPZONE_JSON_V1")]
    )
    await worker.call("AnnounceConnectors", announcement)
    listed = (await integrator.call("ListConnectors", pb.ListConnectorsRequest())).connectors
    assert [each.connector_type for each in listed] == [
        "DROPZONE_JSON_V1",
        "HTTP_JSON_V1",
        "SPOOL_V1",
    ]
    assert "password" in listed[0].secret_names
    good = folder(connector_type="SPOOL_V1", config_json='{"spool": "/s"}')
    made = (await integrator.call("CreateConnection", good)).connection
    assert UUID(made.id)
    bad = folder(connector_type="SPOOL_V1", config_json='{"spool": 5}')
    with pytest.raises(CountersignError) as caught:
        await integrator.call("CreateConnection", bad)
    assert [each.field for each in caught.value.field_errors] == ["config_json.spool"]
