"""Clients that behave as clients do, and a log of all that they were told."""
