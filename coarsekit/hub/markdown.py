"""Markdown for cards and reports."""

from collections.abc import Sequence


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
