"""The words alone: what a model tells of the visible properties of things without a picture."""
