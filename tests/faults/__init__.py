"""The running tutor with its parts killed under load: nothing lost, nothing double."""
