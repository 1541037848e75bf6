"""Which item next, and how hard items are: item response theory, scheduling, simulation.

An ordinary library: arrays, numbers and frozen dataclasses in and out. No Django, no clock, no
environment, no global randomness.
"""
