"""Measurements. Every `measure_*.py` here is a program that `make benchmark` runs; see its top."""
