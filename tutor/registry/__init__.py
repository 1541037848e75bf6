"""Tracer versions: trained, stored immutably, promoted."""
