"""All operations and all of nn beside PyTorch: `make agreement`, which installs PyTorch. `make test` leaves this folder out."""
