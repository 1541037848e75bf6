"""curriculum.simulation."""
