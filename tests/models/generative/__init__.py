"""Small checkpoints with random weights of every type that transformers maps to image-text-to-text."""
