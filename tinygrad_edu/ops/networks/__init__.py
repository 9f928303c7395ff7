"""Operations of neural networks: convolution, pooling, normalization, softmax and losses."""
