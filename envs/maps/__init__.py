"""What is drawn: mazes, their tiles and text, where they come from."""
