"""Request → command → reply; no rules and no SQL."""
