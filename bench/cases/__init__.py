"""One module a benchmark; each has `run(options) -> Result`."""

CASES = ("push_grpc", "delivery_folder")
