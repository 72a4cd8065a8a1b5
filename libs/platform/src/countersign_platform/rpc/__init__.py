"""gRPC: the server and its one interceptor, the channel, and errors on the wire."""
