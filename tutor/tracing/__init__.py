"""Learner states per tracer version and the estimates that every page reads."""
