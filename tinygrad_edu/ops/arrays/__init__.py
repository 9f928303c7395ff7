"""Operations on whole arrays: shape, index, join, reduce, and what is composed of these."""
