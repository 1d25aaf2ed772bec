"""What authors of lessons run: store the outputs, print links, start a new lesson."""
