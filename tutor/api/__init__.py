"""REST API for other systems."""
