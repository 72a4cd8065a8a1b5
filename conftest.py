"""Every test may use the fixtures of the platform: real servers, databases, tokens."""

pytest_plugins = ["countersign_platform.testing.plugin"]
