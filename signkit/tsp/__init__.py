"""Time-Stamp Protocol (RFC 3161): requests, responses and tokens, and every check of a token that needs no trust."""
