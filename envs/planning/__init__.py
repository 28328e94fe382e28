"""What is best: distances, paths and values, for the tables of any world."""
