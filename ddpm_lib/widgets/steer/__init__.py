"""The widget `SteerWidget`: its state in .py, its drawing in .js, its look in .css."""
