"""Reviewing what was refined: a page that shows every mark, and the decisions that are made on it."""
