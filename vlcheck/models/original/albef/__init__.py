"""ALBEF (Li et al. 2021, arXiv:2107.07651)."""
