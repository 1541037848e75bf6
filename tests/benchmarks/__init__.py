"""Measurements. Every module here is a program that `make benchmark` runs; see its top."""
