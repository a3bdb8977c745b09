"""What is found for each mark: its mask, what is left out, and how far to trust it. Arrays in, arrays out; no torch."""
