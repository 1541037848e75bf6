"""curriculum.scheduler."""
