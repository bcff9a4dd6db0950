"""Keys as data: what a key and its versions are, how they are named, which state allows what, how they are sealed."""
