"""What a network draws, and how good that is: finished images, distances, classes, bits."""
