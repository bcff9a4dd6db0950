"""Certificates, certification requests, names, and certification paths."""
