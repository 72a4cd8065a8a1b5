"""Who calls: tokens are verified here and nowhere else."""
