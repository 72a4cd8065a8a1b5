"""`python -m bench.peers.empty_grpc PORT`: a method with push's messages that does nothing.

What is left when the product is taken away: the limit of any gRPC service in this language.
"""

import sys
from uuid import uuid4

import grpc
import grpc.aio
import uvloop

from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc


class EmptyPush(push_service_pb2_grpc.PushServiceServicer):
    """Answers a push that nobody made."""

    async def PushDraft(  # noqa: N802 — the contract's name
        self, request: push_service_pb2.PushDraftRequest, context: grpc.aio.ServicerContext
    ) -> push_service_pb2.PushDraftResponse:
        """A new id each time, as the real one."""
        return push_service_pb2.PushDraftResponse(
            erp_export_id=str(uuid4()), outcome=push_service_pb2.PUSH_OUTCOME_PUSHING
        )


async def serve(port: int) -> None:
    """Until the process is stopped."""
    server = grpc.aio.server()
    push_service_pb2_grpc.add_PushServiceServicer_to_server(EmptyPush(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
