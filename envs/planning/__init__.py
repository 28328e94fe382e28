"""What is best: distances, ways, values, for any world's tables."""
