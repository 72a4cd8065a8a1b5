"""Real servers, fixtures and tokens for the tests of every distribution."""
