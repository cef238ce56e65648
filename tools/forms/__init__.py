"""The book's other forms, made from its built pages: a PDF, an EPUB, and one zip for a place without network."""
