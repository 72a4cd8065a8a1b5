"""One module a benchmark; each has `run(options) -> Result`."""

CASES = ("push_grpc", "push_rest", "delivery_folder")
