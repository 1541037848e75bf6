"""kt_models.streaming."""
