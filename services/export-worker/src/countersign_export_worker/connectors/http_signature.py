"""How the ERP knows that a document is ours, whole, and meant for now."""

import hashlib
import hmac
from collections.abc import Sequence

SIGNATURE_HEADER = "X-Countersign-Signature"


def signature(secrets: Sequence[str], moment: int, key: str, body: bytes) -> str:
    """`t=<unix seconds>,v1=<hex>`, one v1 per secret: the first is the current one.

    Each v1 is HMAC-SHA256 over `<t>.<Idempotency-Key>.<body>`, the body byte for byte.
    """
    signed = f"{moment}.{key}.".encode() + body
    values = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={moment}", *(f"v1={value}" for value in values)])
