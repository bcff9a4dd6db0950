"""The passphrase of a private key that is imported: from a private file, or from the terminal. Never an argument."""

from __future__ import annotations

from signkit.custody import prompt
from signkit.custody.private_files import read_private
from signkit.errors import FileError, RootKeyError, UsageError

PASSPHRASE_FILE = "SIGNKIT_IMPORT_PASSPHRASE_FILE"  # noqa: S105 (a name, not a passphrase)
"""Environment variable that names a private file with the passphrase; one newline at its end does not count."""

_LIMIT = 4096


def of_private_key(path: str | None) -> bytes:
    """The passphrase of an encrypted private key.

    Args:
        path: a private file (mode 0600) that holds it; None or empty = it is typed.

    Raises:
        FileError: the file is missing, not private or too large, or there is no terminal.
        UsageError: the passphrase is empty.
    """
    try:
        found = read_private(path, limit=_LIMIT, what="passphrase file") if path else _typed()
    except RootKeyError as error:
        raise FileError(error.message, path=path or "", hint=error.hint) from error
    passphrase = found.removesuffix(b"\n").removesuffix(b"\r")
    if not passphrase:
        raise UsageError("the passphrase is empty, expected at least one character")
    return passphrase


def _typed() -> bytes:
    try:
        return prompt.ask("Passphrase of the private key: ")
    except RootKeyError as error:
        hint = f"name a file (mode 0600) that holds it with --passphrase-file or in {PASSPHRASE_FILE}"
        raise FileError(error.message, hint=hint) from error
