"""ViLBERT (Lu et al. 2019, arXiv:1908.02265)."""
