"""Verification: collect evidence (``examine``), then judge it (``decide``). Both are pure."""
