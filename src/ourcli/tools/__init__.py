"""Tools: what they are, who may do what, and how they are called."""
