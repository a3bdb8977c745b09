"""What the variants are made of: backbones, the fusion with the coarse mask, heads, prototypes, superpixels."""
