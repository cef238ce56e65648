"""Files that come with the package (digits, weights, measurements), and their readers."""
