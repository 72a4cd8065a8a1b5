"""Every SQL statement of the service, one noun per file, and nothing else."""
