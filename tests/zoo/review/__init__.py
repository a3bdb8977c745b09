"""Tests of the room ``zoo/review``."""
