"""The paper's experiments: refiners scored on datasets, results kept by content, tables with intervals."""
