"""Data sources: from files and drawn scenes to cases."""
