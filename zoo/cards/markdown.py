"""Tables as Markdown."""

from collections.abc import Mapping, Sequence


def markdown_table(lines: Sequence[Mapping[str, str]], numbers: bool = False) -> str:
    """Lines of text cells with the same columns as a Markdown table; no lines give an empty string.

    ``numbers``: set all columns but the first to the right.
    """
    if not lines:
        return ""
    columns = list(lines[0])
    rule = ["---", *["---:" if numbers else "---"] * (len(columns) - 1)]
    cells = [columns, rule, *([line[column] for column in columns] for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)
