"""With a broker: each message is a wake-up to look for due exports.

Which ones, push decides, fairly across orgs and connections: were it the one that the message
names, a long queue of one org would keep the others waiting. A message makes a worker deliver
until nothing is due, so it does not matter whose it was. It is acknowledged once the look has
led somewhere: an end on record, or nothing to do. While push is away it is held and tried
again; what is lost all the same, the reconciler in push offers anew.
"""

from uuid import UUID

import structlog
from google.protobuf.message import DecodeError

from countersign.push.v1 import events_pb2
from countersign_core.errors import Unavailable
from countersign_export_worker import metrics
from countersign_export_worker.desk import DeliveryDesk
from countersign_export_worker.errors import WorkRefused, WorkUnavailable
from countersign_export_worker.slots import SlotsClosed
from countersign_platform.broker.consumer import Consumer, Incoming
from countersign_platform.broker.topology import Topology

_log = structlog.get_logger()


class MalformedMessage(Exception):
    """No export can be read from it; the consumer puts it among the dead letters."""


class BrokerIntake:
    """Consumes ExportRequested."""

    def __init__(
        self, url: str, desk: DeliveryDesk, *, prefetch: int, topology: Topology | None = None
    ) -> None:
        """`prefetch`: messages in hand at most."""
        self._desk = desk
        self._consumer = Consumer(
            url,
            "countersign-export-worker",
            self._look,
            concurrency=prefetch,
            topology=topology,
        )

    @property
    def is_ready(self) -> bool:
        """Whether the broker serves us."""
        return self._consumer.is_consuming

    def stop(self) -> None:
        """Take no more messages; `run` returns when those in hand have ended."""
        self._consumer.stop()

    async def run(self) -> None:
        """Consume until `stop`. Cancelled, it gives back what is in hand."""
        await self._consumer.run()

    async def _look(self, message: Incoming) -> None:
        org_id, export_id = _export_of(message)
        try:
            claimed = await self._desk.claim_and_deliver()
        except (WorkUnavailable, SlotsClosed) as error:
            raise Unavailable("The export cannot be claimed now") from error
        except WorkRefused:
            _log.exception("claim_refused", org_id=str(org_id), export_id=str(export_id))
            return
        metrics.WAKE_UPS.labels("broker", str(claimed).lower()).inc()


def _export_of(message: Incoming) -> tuple[UUID, UUID]:
    try:
        event = events_pb2.ExportRequested.FromString(message.body)
        return UUID(event.org_id), UUID(event.export_id)
    except (DecodeError, ValueError) as error:
        raise MalformedMessage(message.message_id) from error
