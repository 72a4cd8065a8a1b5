"""Tools for tests of the push service; nothing that runs imports them."""
