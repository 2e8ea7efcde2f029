"""The formats of the store, one file each: what changed from one to the next. How it is done stands in `backends`."""
