"""Verifying an exported trail: files in, a verdict out; no server, no database, no settings."""
