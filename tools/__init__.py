"""What builds and checks the book. Run a tool as `python -m tools.NAME`; the Makefile does."""
