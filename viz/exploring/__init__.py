"""A web page to look around in a picture: pan, zoom, search, open and close groups.

page.py puts it together from page.html, page.css and the scripts; groups.js is also used by the page that steps.
"""

from .page import html

__all__ = ["html"]
