"""Builds for tests in which one protection is switched off; the product holds no such switch.

Each module here is a program: it alters the shipped one in its own process and starts it.
"""
