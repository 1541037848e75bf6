"""One file for each format: from an input to rows in the staging."""
