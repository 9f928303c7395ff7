"""Why the gradients of some ops take many times their forward."""

from __future__ import annotations

REASONS: dict[str, str] = {}
