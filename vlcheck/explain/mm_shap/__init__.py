"""MM-SHAP: how much of a score is due to the words of the text, and how much to the patches of the picture."""
