"""WASI plugins: worker processes that hold a guest, and the pool that calls them."""
