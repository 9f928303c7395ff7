"""Chapters of the course as pages (to come)."""
