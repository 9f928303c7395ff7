"""Pages as GitHub shows them, and links that leave docs/: what they lead to becomes a part of the site.

Pages link to sources, results and examples by paths that GitHub follows. A text file becomes a page of the site (Markdown as it
is, anything else as a listing with numbered lines), a folder a list of its files, a picture or a data file a copy. The links of
pages that join the site this way are followed too.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
JOINED = "repository"  # the folder of the site for them
SEARCH = {
    JOINED: {"exclude": True},
    "reference": {"boost": 3},
}  # an entry comes before what mentions it; sources are left out
LANGUAGES = {
    ".py": "python",
    ".toml": "toml",
    ".json": "json",
    ".sh": "sh",
    ".js": "js",
    ".yml": "yaml",
    ".txt": "text",
}
LANGUAGES |= {"Makefile": "make", "run": "sh", "LICENSE": "text", ".css": "css", ".csv": "text"}

FENCES = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$|(`+)(?!`).*?(?<!`)\3(?!`)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(?=[)\s])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the pages link to, and what that links to."""
    waiting = [file for file in files if file.is_documentation_page()]
    while waiting:
        file = waiting.pop()
        for target in targets(file.content_string, home(file.src_uri)):
            if files.get_file_from_path(uri(target)) is None:
                files.append(joined(target, config))
                if uri(target).endswith(".md"):
                    waiting.append(files.get_file_from_path(uri(target)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The text of a page with links that lead to places of the site, and without what follows the language of a block of code."""
    folder = posixpath.dirname(page.file.src_uri)
    if folder.split("/")[0] in SEARCH:
        page.meta["search"] = SEARCH[folder.split("/")[0]]

    def moved(match: re.Match[str]) -> str:
        target = resolved(match[2], home(page.file.src_uri))
        if target is None:
            return match[0]
        anchor = re.sub(r"^#L(\d+)$", r"#__codelineno-0-\1", match[3] or "")
        return f"{match[1]}{posixpath.relpath(uri(target), folder or '.')}{anchor}"

    return re.sub(
        r"^( *```\w+) .*$", r"\1", outside_of_code(markdown, lambda text: LINK.sub(moved, text)), flags=re.MULTILINE
    )


def outside_of_code(markdown: str, change: Any) -> str:
    """The text with `change` applied to all that is not code."""
    parts, start = [], 0
    for code in FENCES.finditer(markdown):
        parts += [change(markdown[start : code.start()]), code[0]]
        start = code.end()
    return "".join([*parts, change(markdown[start:])])


def targets(markdown: str, folder: str) -> list[str]:
    """The places outside of docs/ to which a text in `folder` links, as paths in the repository."""
    found = [resolved(match[2], folder) for match in LINK.finditer(FENCES.sub("", markdown))]
    return [target for target in found if target is not None]


def resolved(link: str, folder: str) -> str | None:
    """The path in the repository of a link in `folder`; None for a link within docs/, to the network, or to nothing."""
    if "://" in link or link.startswith(("mailto:", "/")):
        return None
    target = posixpath.normpath(posixpath.join(folder, link))
    inside = target.startswith("docs/") and folder.split("/")[0] == "docs" and not target.endswith(".py")
    return None if inside or target.startswith("..") or not (ROOT / target).exists() else target


def home(src_uri: str) -> str:
    """The folder in the repository where a page of the site is written."""
    folder, _, rest = src_uri.partition("/")
    if re.match(r"course/\d\d_", src_uri):
        return "examples/course"
    if folder == JOINED:
        return posixpath.dirname(rest)
    return posixpath.dirname(f"docs/{src_uri}")


def uri(target: str) -> str:
    """The place in the site of a path in the repository."""
    path = ROOT / target
    if target.startswith("docs/") and path.suffix != ".py":
        return target.removeprefix("docs/")
    if re.fullmatch(r"examples/course/\d\d_\w+\.py", target):
        return f"course/{path.stem}.md"
    if path.is_dir():
        return f"{JOINED}/{target}/index.md"
    if path.suffix == ".md":
        return f"{JOINED}/{target}"
    return f"{JOINED}/{target}" + (".md" if path.suffix in LANGUAGES or path.name in LANGUAGES else "")


def joined(target: str, config: MkDocsConfig) -> File:
    """A file or folder of the repository as a file of the site, outside of its navigation."""
    from mkdocs.structure.files import File, InclusionLevel

    return File.generated(config, uri(target), inclusion=InclusionLevel.NOT_IN_NAV, **contents(target))


def contents(target: str) -> dict[str, str]:
    """What `File.generated` takes for it: the text of a page, or the file to copy."""
    path = ROOT / target
    if path.is_dir():
        names = sorted(p.name + "/" * p.is_dir() for p in path.iterdir() if p.name[0] not in "._")
        listed = "\n".join(
            f"- [{name}]({name.rstrip('/')})" if name.endswith((".py", ".md")) else f"- {name}" for name in names
        )
        return {"content": f"# {target}/\n\n{listed}\n"}
    if path.suffix == ".md":
        return {"content": path.read_text(encoding="utf-8")}
    if uri(target).endswith(".md"):
        text, language = path.read_text(encoding="utf-8"), LANGUAGES.get(path.suffix) or LANGUAGES[path.name]
        return {"content": f'# {target}\n\n~~~~{{ .{language} linenums="1" }}\n{text}~~~~\n'}
    return {"abs_src_path": str(path)}
