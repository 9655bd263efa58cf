"""Generated scenes, whose truth is known."""
