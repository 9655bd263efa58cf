"""The parts that ALBEF and X-VLM share: adapter, captions, pixels, and the network that fuses texts with images."""
