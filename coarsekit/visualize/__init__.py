"""Pictures: colours, outlines, sheets."""
