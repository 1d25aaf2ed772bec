"""What a submission's cells print, without anything that could run where a teacher reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode

_KEPT = {"text/plain", "image/png", "image/jpeg", "text/latex"}
_CLEANED = {"text/html", "text/markdown"}


def safe(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """The outputs as texts, pictures and tables; HTML loses its scripts and event handlers."""
    return [_safe(output) for output in outputs]


def safe_text(source: str) -> str:
    """A text without tags that run; one that holds no tag is left as it is."""
    if not re.search(r"<\s*[a-zA-Z!/]", source):
        return source
    return SanitizeHTML().sanitize_html_tags(source)


def _safe(output: NotebookNode) -> NotebookNode:
    if "data" not in output:
        return output
    cleaner = SanitizeHTML()
    data = {kind: content for kind, content in output.data.items() if kind in _KEPT}
    for kind in _CLEANED & output.data.keys():
        data[kind] = cleaner.sanitize_html_tags(str(output.data[kind]))
    output.data = NotebookNode(data)
    return output
