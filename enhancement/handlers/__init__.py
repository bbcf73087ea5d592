"""What runs in the inference process: the only place of this app that meets `ml`."""
