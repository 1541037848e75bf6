"""kt_models.data."""
