"""How it looks: frames, text, windows and notebooks."""
