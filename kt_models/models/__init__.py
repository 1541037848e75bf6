"""kt_models.models."""
