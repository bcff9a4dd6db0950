"""What a user can do, over ports: nothing in here opens a file, reads a clock or knows an adapter."""
