"""A web page within a notebook: an iframe, and the still picture that is shown where the notebook may not run scripts."""

from __future__ import annotations

import base64
import re
from html import escape

MOST = 3_000_000  # characters of a page, and of a picture, that a notebook stores in a cell
_LEAST, _TALLEST = 380, 760  # pixels
_WIDTH = 900  # of a notebook's column, about
_POINT = 4 / 3  # pixels
_SIZE = re.compile(r'<svg width="([\d.]+)\w*" height="([\d.]+)\w*"')
_STYLE = (
    "<style>body { font-size: 14px } h1 { font-size: 1.1rem } #link { display: none }</style>"  # no address to link to
)
# The page's script measures, and a frame gets its size after its text: a notebook may not even show it at first.
_START = """<script>
new ResizeObserver((_, observer) => {
  observer.disconnect();
  for (const waiting of document.querySelectorAll("script[data-waits]")) {
    const script = document.createElement("script");
    script.type = "module";
    script.textContent = waiting.textContent;
    waiting.replaceWith(script);
  }
}).observe(document.documentElement);
</script>"""


def frame(page: str, title: str, height: int, still: str = "") -> str:
    """HTML that shows a page in a notebook, and its picture where the notebook removes frames.

    The page is part of the text (srcdoc), so the notebook needs no other file, and the page's ids and styles stay within it. Its
    scripts run in an origin without access to the notebook (sandbox). Viewers that clean HTML, as Jupyter does in a notebook
    that is not trusted, remove the frame and the style before it, and leave the picture and a line that says how to see the page.

    Args:
        page: the whole page; one of more than `MOST` characters is left out.
        title: what the frame is called for those who listen to it.
        height: of the frame in pixels; the reader can pull it by its lower right corner.
        still: the picture, an SVG element; "" for none.
    """
    picture = image(still, title) if 0 < len(still) <= MOST else ""
    if len(page) > MOST:
        words = (
            f"The interactive page has {len(page) / 1e6:.1f} MB, too much for a notebook: .save('page.html') writes it."
        )
        return f"<div>{picture}<p>{words}</p></div>"
    style = f"width: 100%; height: {height}px; border: 0; resize: vertical; overflow: hidden"
    return (
        '<div class="viz-page"><style>.viz-page > iframe[srcdoc] ~ * { display: none }</style>'
        f'<iframe sandbox="allow-scripts" title="{escape(title)}" style="{style}" srcdoc="{escape(_framed(page))}"></iframe>'
        f"{picture}<p>The interactive page is shown in a trusted notebook: Jupyter's command Trust Notebook.</p></div>"
    )


def height_for(picture: str, beside: int) -> int:
    """The height of a frame around a page with a picture, in pixels.

    Args:
        picture: an SVG element with its size in points.
        beside: pixels that the page needs for the rest.
    """
    width, height = (_POINT * float(size) for size in _SIZE.findall(picture)[0])
    return round(min(max(height * min(1.0, _WIDTH / width) + beside, _LEAST), _TALLEST))


def fitted(picture: str) -> str:
    """An SVG element that becomes smaller where the cell of a notebook is narrow, instead of being cut."""
    return _SIZE.sub(r'\g<0> style="max-width: 100%; height: auto"', picture, count=1)


def _framed(page: str) -> str:
    """The page, smaller, and with its script waiting for the frame to have a size."""
    text = page.replace('<script type="module">', '<script type="text/plain" data-waits>')
    return text.replace("</head>", f"{_STYLE}</head>").replace("</body>", f"{_START}</body>")


def image(still: str, title: str) -> str:
    """An SVG element as an HTML image, which Jupyter shows in notebooks that are not trusted, too."""
    data = base64.b64encode(still.encode()).decode()
    return f'<img alt="{escape(title)}" src="data:image/svg+xml;base64,{data}" style="max-width: 100%">'
