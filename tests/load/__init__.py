"""A crowd of students at the pages at once, and whether every answer arrived once."""
