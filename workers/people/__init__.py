"""Real people and places: a CSV file of a CPTS, or one account at a time."""
