"""What the widgets share: the host that shows them in a notebook and in a page, their controls, charts and noise."""
