"""Where things lie: the checkout, its cards, the bundled refiners, and the real IDRiD where it is there."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CARDS = ROOT / "cards"
BUNDLED = ROOT / "zoo" / "weights"
IDRID = ROOT.parent / "shared" / "data" / "idrid"
"""Complete only beside a checkout that has it; tests that need it skip where it is missing."""
CASES = ROOT.parent / "shared" / "cases" / "files"
"""Files of other people on which reading went wrong once; likewise."""
