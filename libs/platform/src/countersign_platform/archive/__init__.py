"""Bytes that are written once and kept: a folder, or any object store that has a URL."""
