"""Forecasts of whether and when learners reach what their classes are to reach."""
