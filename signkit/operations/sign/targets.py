"""Which files are signed, and where their signatures go."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Sequence

from signkit import formats
from signkit.errors import UsageError
from signkit.operations.sign.pipeline import Recipe

RECEIPT = ".receipt"
"""Ending of the name of a receipt."""


def artifacts(paths: Sequence[str], suffix: str) -> tuple[list[str], list[str]]:
    """The artifacts to sign, each once, and those left out because they are signatures.

    Raises:
        UsageError: there is none.
    """
    unique = list(dict.fromkeys(paths))
    if not unique:
        raise UsageError("no artifact to sign", hint="name the files to sign")
    if len(unique) == 1:
        return unique, []
    wanted = [path for path in unique if not path.endswith(suffix)]
    if not wanted:
        raise UsageError(
            f"no artifact to sign: all {len(unique)} files are signatures ({suffix})",
            hint="name the files to sign; a signature is signed when it is the only file named",
        )
    return wanted, [path for path in unique if path.endswith(suffix)]


def outputs(artifacts: Iterable[str], suffix: str, out_dir: str) -> dict[str, str]:
    """Artifact to the path of its signature.

    Raises:
        UsageError: two artifacts have the same one.
    """
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for artifact in artifacts:
        folder = out_dir or os.path.dirname(artifact)
        output = os.path.join(folder, os.path.basename(artifact) + suffix)
        same = os.path.normpath(output)
        if same in taken:
            raise UsageError(
                f"{artifact} and {taken[same]} would both be signed into {output}, expected one output each",
                hint="name each file once; sign files of one name in separate calls with different --out-dir",
            )
        found[artifact], taken[same] = output, artifact
    return found


def receipt(output: str, recipe: Recipe) -> str:
    """Path of the receipt beside a signature."""
    return output.removesuffix(formats.format_named(recipe.format).suffix) + RECEIPT
