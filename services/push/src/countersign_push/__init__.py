"""Exports: push, retry, idempotency, ERP connections, hand-out of work."""
