"""``signkit raw``."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import App, Force, session, write_or_print

app = App(help="The key service's own operations: bare signatures and encryption.")

Reference = Annotated[str, typer.Argument(metavar="KEY@V")]
OptionalReference = Annotated[str | None, typer.Argument(metavar="[KEY@V]", show_default=False)]
Algorithm = Annotated[str, typer.Option(metavar="A", help="For example ECDSA_SHA_256.")]
In = Annotated[str | None, typer.Option("--in", metavar="F", help="The message, whole in memory.")]
Digest = Annotated[str | None, typer.Option(metavar="HEX", help="Its digest, where the algorithm signs one.")]
Sm2Id = Annotated[str | None, typer.Option("--sm2-id", metavar="HEX", help="SM2 identifier of the signer.")]
Out = Annotated[str | None, typer.Option(metavar="F", help="Where to write it [default: standard output].")]
PublicKey = Annotated[str | None, typer.Option("--public-key", metavar="F", help="Public key file; needs no store.")]


@app.verb("sign")
def sign(
    context: typer.Context,
    reference: Reference,
    algorithm: Algorithm,
    message: In = None,
    digest: Digest = None,
    sm2_id: Sm2Id = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Sign a message or digest with one key version; the bare signature value."""
    from signkit.cli.arguments import hexadecimal, signer_id
    from signkit.keys.reference import parse_key_version
    from signkit.operations import raw

    run = session(context)
    value = raw.sign(
        run.wiring().keys,
        parse_key_version(reference),
        algorithm,
        message=run.read(message, "message"),
        digest=hexadecimal(digest, "--digest"),
        signer_id=signer_id(sm2_id),
        detail=message or "digest",
    )
    write_or_print(run, value, out, force=force, what="signature")


@app.verb("verify")
def verify(
    context: typer.Context,
    algorithm: Algorithm,
    signature: Annotated[str, typer.Option(metavar="F", help="The bare signature value.")],
    reference: OptionalReference = None,
    message: In = None,
    digest: Digest = None,
    sm2_id: Sm2Id = None,
    public_key: PublicKey = None,
) -> None:
    """Check a bare signature value; status 13 when it is wrong."""
    from signkit.cli.arguments import hexadecimal, signer_id
    from signkit.errors import SignatureValueError
    from signkit.operations import raw

    run = session(context)
    reason = raw.verify(
        run.public_key(reference, public_key, "AsymmetricVerify"),
        algorithm,
        run.read(signature, "signature") or b"",
        message=run.read(message, "message"),
        digest=hexadecimal(digest, "--digest"),
        signer_id=signer_id(sm2_id),
    )
    if reason:
        raise SignatureValueError(reason, hint="another message, key, algorithm or SM2 identifier than was signed with")
    run.emit({"valid": True}, ["the signature is right"])


@app.verb("encrypt")
def encrypt(
    context: typer.Context,
    algorithm: Algorithm,
    plaintext: Annotated[str, typer.Option("--in", metavar="F", help="The plaintext.")],
    reference: OptionalReference = None,
    public_key: PublicKey = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Encrypt to the public key of a version."""
    from signkit.operations import raw

    run = session(context)
    recipient = run.public_key(reference, public_key, "AsymmetricEncrypt")
    value = raw.encrypt(recipient, algorithm, run.read(plaintext, "plaintext") or b"")
    write_or_print(run, value, out, force=force, what="ciphertext")


@app.verb("decrypt")
def decrypt(
    context: typer.Context,
    reference: Reference,
    algorithm: Algorithm,
    ciphertext: Annotated[str, typer.Option("--in", metavar="F", help="The ciphertext.")],
    out: Out = None,
    force: Force = False,
) -> None:
    """Decrypt with one key version."""
    from signkit.keys.reference import parse_key_version

    run = session(context)
    data = run.read(ciphertext, "ciphertext") or b""
    value = run.wiring().keys.use.decrypt(parse_key_version(reference), algorithm, data)
    write_or_print(run, value, out, force=force, what="plaintext", private=True)
