"""A still portrait moved by a driving clip, or by one of the motions that come with the program."""
