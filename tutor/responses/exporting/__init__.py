"""The log as a file for others: pseudonymised, described, and readable by every door again."""
