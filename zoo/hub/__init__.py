"""Sharing refiners: model cards, measured metrics, what is pushed, what is on the shelf."""
