"""Stand-ins for the parts of a GPU machine that decide nothing about names and shapes."""
