"""``prompt:``: the root key is a passphrase, from a private file named by the environment or from the terminal."""

from __future__ import annotations

import os

from signkit.custody.private_files import read_private
from signkit.errors import RootKeyError, UsageError
from signkit.keys.sealing import RootSecret

PASSPHRASE_FILE = "SIGNKIT_PASSPHRASE_FILE"  # noqa: S105 (a name, not a passphrase)
"""Environment variable that names a private file with the passphrase; one newline at its end does not count."""

_LIMIT = 4096
_WHAT = "passphrase file"


class PromptRootKey:
    """A passphrase.

    Attributes:
        uri: always ``prompt:``.
    """

    uri = "prompt:"

    def __init__(self, location: str) -> None:
        if location:
            raise UsageError(
                f"'prompt:' takes nothing after the colon, found '{location}'",
                hint=f"a passphrase is typed, or read from the file that {PASSPHRASE_FILE} names",
            )

    def create(self) -> RootSecret:
        """The passphrase for a new store; on a terminal it is asked for twice.

        Raises:
            RootKeyError: none could be had, it is empty, or the two differ.
        """
        path = os.environ.get(PASSPHRASE_FILE)
        if path:
            return _from_file(path)
        passphrase = ask("New passphrase of the store: ")
        if ask("The same again: ") != passphrase:
            raise RootKeyError("the two passphrases differ", hint="nothing was made; start again")
        return _secret(passphrase)

    def load(self) -> RootSecret:
        """The passphrase.

        Raises:
            RootKeyError: none could be had, or it is empty.
        """
        path = os.environ.get(PASSPHRASE_FILE)
        return _from_file(path) if path else _secret(ask("Passphrase of the store: "))


def _from_file(path: str) -> RootSecret:
    return _secret(read_private(path, limit=_LIMIT, what=_WHAT).removesuffix(b"\n"))


def _secret(passphrase: bytes) -> RootSecret:
    if not passphrase:
        raise RootKeyError("the passphrase is empty, expected at least one character")
    return RootSecret("passphrase", passphrase)


def ask(prompt: str) -> bytes:
    """What is typed on the terminal, unseen."""
    import getpass
    import warnings

    try:
        _require_terminal()
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would read on with the echo left on
            return getpass.getpass(prompt).encode()
    except (OSError, getpass.GetPassWarning) as error:
        raise RootKeyError(
            "there is no terminal to ask for the passphrase",
            hint=f"name a file (mode 0600) that holds it in {PASSPHRASE_FILE}",
        ) from error
    except (EOFError, UnicodeError) as error:
        raise RootKeyError("no passphrase was typed") from error


def _require_terminal() -> None:
    """Open the terminal once, because without one ``getpass`` would read standard input.

    Raises:
        OSError: there is none.
    """
    os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
