"""Markdown for cards and reports."""

from collections.abc import Sequence


def markdown_link(text: str, url: str) -> str:
    """A link, or the text alone where there is no address."""
    return f"[{text}]({url})" if url else text


def cite(citation: str) -> str:
    """How to cite data, as the end of a paragraph and a quotation; where nobody said, that."""
    return f"Cite:\n\n> {citation}" if citation else "It names no citation; ask its owners for one."


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], names: int = 1) -> str:
    """A Markdown table.

    Args:
        head: The titles of the columns.
        rows: The cells of each row, as many as ``head`` has.
        names: How many of the first columns are text, and aligned left; the others are numbers, and aligned right.

    Returns:
        The lines of the table, without a line break at the end; without rows the head alone.
    """
    ruler = ["---"] * names + ["---:"] * (len(head) - names)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ruler, *rows))
