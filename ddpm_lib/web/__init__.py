"""The reverse process in a reader's browser: the engine, and the file of weights that a page gives it."""
