"""Fine masks to the ellipses that an annotator would have drawn."""
