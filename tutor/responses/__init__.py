"""The append-only response log and its import from elsewhere."""
