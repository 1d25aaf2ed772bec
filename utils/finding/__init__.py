"""Finding the recipe for a question or an error message: read, rank, list, and a search field."""
