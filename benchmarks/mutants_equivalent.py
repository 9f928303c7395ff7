"""Mutants that change nothing a caller could see: file, kind, lines before and after, and the reason."""

EQUIVALENT: dict[tuple[str, str, str, str], str] = {}
