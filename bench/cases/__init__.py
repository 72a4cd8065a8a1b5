"""One module a benchmark; each has `run(options) -> Result`."""

CASES = (
    "push_grpc",
    "push_rest",
    "replay_rest",
    "document",
    "delivery_folder",
    "delivery_sftp",
    "dropzone_latency",
    "users",
    "growth",
    "audit_append",
    "audit_verify",
)
# By name only: they take longer than all of the others together.
LARGE = ("growth_full", "memory")
