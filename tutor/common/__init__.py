"""What every app needs and that knows nothing about tutoring."""
