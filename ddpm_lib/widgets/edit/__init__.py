"""The widget `EditWidget`: its state in .py, its drawing in .js, its look in .css."""
