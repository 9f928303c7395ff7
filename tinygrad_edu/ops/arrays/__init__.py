"""Operations on whole arrays: shape, indexing, joining, reduction, and compositions of these."""
