"""Twins of what the worker talks to, and ways to break it. Never imported by the worker."""
