"""One module a benchmark; each has `run(options) -> Result`."""

CASES = ("push_grpc", "push_rest", "document", "delivery_folder", "delivery_sftp")
