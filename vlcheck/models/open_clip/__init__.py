"""Models that open_clip (Ilharco et al. 2021, doi 10.5281/zenodo.5143773) builds, and OpenAI's original CLIP files.

- `families`: what specs name; open_clip is imported when one of them is loaded.
- `published`: folders and files as open_clip publishes them.
- `network`: a network from a config, filled with the weights of a file.
- `texts`: tokenizers.
- `adapter`: how the networks are asked; `differentiable`: their gradients.
"""
