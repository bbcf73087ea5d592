"""Face manipulation: finding it, and the networks behind it. Pure Python: knows nothing of the web site around it."""
