"""What every process needs: settings, auth, RPC, database, outbox, broker, telemetry."""
