"""Template filters of intake."""
