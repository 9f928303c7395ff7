"""What a run and a recorded graph were: read, never changed."""
