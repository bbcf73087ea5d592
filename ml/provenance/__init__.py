"""Where a file comes from: reading what it says about itself, and writing what is made here."""
