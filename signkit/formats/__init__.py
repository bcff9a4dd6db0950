"""Signature formats: one file each, one row of ``FORMATS`` each."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from signkit.errors import UsageError
from signkit.formats.base import Format

FORMATS = {"cms": "cms_detached", "gmt0010": "gmt0010", "raw": "raw"}
"""Name of a format to the module of this package that implements it."""


def format_named(name: str) -> Format:
    """The signature format of that name, loaded when first needed.

    Raises:
        UsageError: there is none.
    """
    module = FORMATS.get(name)
    if module is None:
        raise UsageError(f"'{name}' is not a signature format: expected one of {' '.join(FORMATS)}")
    return cast(Format, import_module(f"{__name__}.{module}").FORMAT)
