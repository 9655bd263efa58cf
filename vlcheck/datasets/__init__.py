"""Data sets: from files, or from generated scenes, to cases."""
