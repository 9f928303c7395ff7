"""Plots by matplotlib: functions, paths down them, and what a network does with data."""
