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
    "console_list",
    "audit_append",
    "audit_verify",
)
# By name only, or all together would take longer than a quarter of an hour.
LARGE = ("growth", "growth_full", "memory")
