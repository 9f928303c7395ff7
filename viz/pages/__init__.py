"""What all web pages share: their style, data in their scripts, and the player of animations."""

from .parts import graph_style, markers, player, player_script, script, style

__all__ = ["graph_style", "markers", "player", "player_script", "script", "style"]
