"""What all web pages share: their style, data in their scripts, and the player of animations."""

from .parts import player, player_script, script, style

__all__ = ["player", "player_script", "script", "style"]
