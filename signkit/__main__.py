"""``python -m signkit``."""

from signkit.cli import script

script()
