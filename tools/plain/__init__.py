"""The notebooks in plain Markdown: what Colab and JupyterLab show where the book's MyST would stand there raw."""
