"""Training and evaluating a model: `fit` and what it is made of."""
