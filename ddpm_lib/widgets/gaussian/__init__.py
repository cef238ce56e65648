"""The widget `GaussianWidget`: its state in .py, its drawing in .js, its look in .css."""
