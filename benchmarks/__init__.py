"""What the program costs, measured beside a peer in the same run: `python -m benchmarks`."""
