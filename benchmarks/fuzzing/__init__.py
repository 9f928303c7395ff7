"""Random calls of operations and of nn with hostile arguments, and the errors that they raise; see __main__.py."""
