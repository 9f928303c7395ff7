"""What all web pages share: their frame and style, the bundling of their scripts, and the player of animations."""

from .bundling import bundle
from .parts import contents, document, graph_style, markers, module, player

__all__ = ["bundle", "contents", "document", "graph_style", "markers", "module", "player"]
