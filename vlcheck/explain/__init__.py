"""What one photograph shows of a model."""
