"""Runs: a folder for every fit, with all that it takes to repeat it and to compare it."""
