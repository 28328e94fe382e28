"""Gradients: the room of the numpy neural-net package; it knows numpy and the standard library, nothing else."""
