"""One use case per file; typed in and out, and none of them knows gRPC."""
