"""What is drawn: mazes, their tiles and text, and where they come from."""
