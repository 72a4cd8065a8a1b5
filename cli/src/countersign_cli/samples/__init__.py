"""Orders for the demo."""
