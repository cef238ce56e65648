"""Slides made from the built pages: what a class looks at stands on them, the prose is the teacher's notes."""
