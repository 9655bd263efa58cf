"""X-VLM (Zeng et al. 2022, arXiv:2111.08276)."""
