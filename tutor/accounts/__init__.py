"""Organisations, users with roles, learners under pseudonyms, and the audit log."""
