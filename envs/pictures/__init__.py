"""How it looks: frames, text, windows, notebooks."""
