"""Pairs of coarse and fine masks as a Hugging Face dataset."""
