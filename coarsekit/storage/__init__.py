"""What is kept on disk: files written whole, outputs claimed before the work, and the digest of content."""
