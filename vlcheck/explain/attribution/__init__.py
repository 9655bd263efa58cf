"""Attribution: how much each patch of a picture and each token of a text contributes to a model's score."""
