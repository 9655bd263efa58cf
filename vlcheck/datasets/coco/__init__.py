"""COCO: photographs, captions and annotations."""
