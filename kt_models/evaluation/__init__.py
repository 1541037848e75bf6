"""kt_models.evaluation."""
