"""What the notebooks share: fair timing, the live panel, exercise checking and data."""
