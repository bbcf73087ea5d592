"""Face swap: faces of a person gathered, a decoder trained on them, faces of pictures and clips painted as theirs."""
