"""What is drawn as one, so that a graph of any size fits on a page."""
