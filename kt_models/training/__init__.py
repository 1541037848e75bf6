"""kt_models.training."""
