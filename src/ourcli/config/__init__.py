"""Settings: their shape, where they come from, and the files and flags that carry them."""
