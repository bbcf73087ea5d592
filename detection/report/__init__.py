"""A check on paper and for other programs: the same facts as its page, as a PDF and as JSON."""
