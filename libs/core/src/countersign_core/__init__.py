"""The pure rules that every part shares: life cycle, errors, roles, ids, audit acts.

Standard library only; nothing here does I/O.
"""
