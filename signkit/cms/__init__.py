"""Cryptographic Message Syntax (RFC 5652): signed attributes, signers, SignedData."""
