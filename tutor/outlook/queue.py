"""Name of the task: it is sent without loading what it needs."""

FORECAST = "outlook.forecast_goals"
