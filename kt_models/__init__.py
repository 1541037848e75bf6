"""kt_models."""
