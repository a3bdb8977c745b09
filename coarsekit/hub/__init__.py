"""The Hugging Face Hub: upload, download, and the errors of both."""
