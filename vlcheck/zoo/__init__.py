"""The embedded model: small ALBEFs that are trained on drawn scenes."""
