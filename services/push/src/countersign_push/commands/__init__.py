"""One use case per file; none knows gRPC or SQL."""
