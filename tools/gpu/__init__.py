"""Train and measure all that the book ships, on a machine with a GPU, in one call."""
