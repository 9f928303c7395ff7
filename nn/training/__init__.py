"""Training and evaluating a model: `fit`, and its parts."""
