"""Operations on matrices, and stacks of them: products, decompositions, norms."""
