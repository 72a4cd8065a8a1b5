"""Orders lost or doubled per thousand crashes: the real stack under load and seeded faults."""
