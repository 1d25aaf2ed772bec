"""What can be found: an entry, with everything that people may know of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A place in a notebook that answers something, such as a recipe or a row of a table."""

    title: str  # the question, the error message or the function's name
    answer: str  # the first sentences that stand under it
    subject: str  # what it is listed under
    notebook: str  # the file's name, such as "selecting.ipynb"
    anchor: str  # of its heading, as JupyterLab makes it: the text with hyphens for spaces
    cells: tuple[str, ...] = ()  # the ids of its cells
    messages: tuple[str, ...] = ()  # error messages that its cells print
    symptoms: tuple[str, ...] = ()  # what people see who have no message
    functions: tuple[str, ...] = ()  # with their modules, such as "torch.gather"
    body: str = ""  # all its other words and its code

    @property
    def link(self) -> str:
        """The address that opens it, relative to the notebooks' folder.

        It names the first cell, as JupyterLab, Notebook and nbconvert understand it: JupyterLab
        finds no heading with signs that an address writes in another way, such as quotes.
        """
        return f"{self.notebook}#cell-id={self.slug}"

    @property
    def slug(self) -> str:
        """The short name: the id of its first cell."""
        return self.cells[0] if self.cells else ""
