"""What is measured: CPU and memory of processes, distributions, rounds."""
