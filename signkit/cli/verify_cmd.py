"""``signkit verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from signkit.cli.base import App, Session, session
from signkit.cli.progress import Progress
from signkit.errors import UsageError

if TYPE_CHECKING:
    from signkit.verification.policy import Identity
    from signkit.verification.result import VerificationResult

app = App()


def _option(metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text)


_Files = Annotated[list[str], typer.Argument(metavar="FILE...")]
_Signature = Annotated[str | None, _option("F", "Its signature [default: FILE.p7s].")]
_Trust = Annotated[list[str], _option("F", "Trust anchors, or 'system'; never implied; may repeat.")]
_Intermediate = Annotated[list[str], _option("F", "Further certificates; may repeat.")]
_Crl = Annotated[list[str], _option("F", "CRLs; may repeat.")]
_Ocsp = Annotated[list[str], _option("F", "OCSP responses; may repeat.")]
_TsaTrust = Annotated[list[str], _option("F", "Trust anchors of timestamp authorities; may repeat.")]
_Policy = Annotated[
    str | None, _option("F", "Policy file, in place of --trust, --tsa-trust, --profile and --revocation.")
]
_Signer = Annotated[list[str], _option("DN", "The signer's subject must have all of these; may repeat (any of them).")]
_Issuer = Annotated[str | None, _option("DN", "Issuer of the signer's certificate; it must have all these.")]
_Spki = Annotated[list[str], _option("HEX", "SHA-256 of the signer's public key; may repeat.")]
_RequireIdentity = Annotated[bool, typer.Option("--require-identity", help="Refuse when no signer was named.")]
_Profile = Annotated[str | None, _option("P", "Path rules: code-signing [default], cabf, authenticode, private.")]
_Revocation = Annotated[str | None, _option("MODE", "require, check [default] or ignore the revocation status.")]
_Online = Annotated[bool, typer.Option("--online", help="Ask the servers that certificates name for revocation.")]
_Sm2Id = Annotated[str | None, _option("HEX", "Identifier of SM2 signers.")]
_At = Annotated[str | None, _option("TIME", "Judge as if now were TIME, e.g. 2027-01-31T12:00:00Z.")]
_EveryCheck = Annotated[bool, typer.Option("--every-check", help="List the checks that passed, too.")]


@app.verb("verify")
def verify(
    context: typer.Context,
    files: _Files,
    signature: _Signature = None,
    trust: _Trust = [],  # noqa: B006
    intermediate: _Intermediate = [],  # noqa: B006
    crl: _Crl = [],  # noqa: B006
    ocsp: _Ocsp = [],  # noqa: B006
    tsa_trust: _TsaTrust = [],  # noqa: B006
    policy: _Policy = None,
    signer: _Signer = [],  # noqa: B006
    issuer: _Issuer = None,
    spki_sha256: _Spki = [],  # noqa: B006
    require_identity: _RequireIdentity = False,
    profile: _Profile = None,
    revocation: _Revocation = None,
    online: _Online = False,
    sm2_id: _Sm2Id = None,
    at: _At = None,
    every_check: _EveryCheck = False,
) -> None:
    """Judge certificate chain and signature of each file together; 0 only when every file is accepted."""
    from signkit.cli.arguments import moment, signer_id
    from signkit.operations.verify import raise_unless_accepted

    run = session(context)
    given = {"--trust": trust, "--tsa-trust": tsa_trust, "--profile": profile, "--revocation": revocation}
    with Progress("verifying", files, quiet=run.quiet or run.json) as progress:
        service = run.wiring().verifying(progress=progress.advance)
        result = service.verify(
            files,
            trust=trust,
            intermediates=intermediate,
            signature=signature,
            policy=service.policy(
                policy,
                default=lambda: run.wiring().verify_policy,
                instead={option: value for option, value in given.items() if value},
                identity=_identity(signer, issuer, spki_sha256),
                require_identity=require_identity,
            ),
            tsa_trust=tsa_trust,
            crls=crl,
            ocsp_responses=ocsp,
            sm2_id=signer_id(sm2_id),
            online=run.wiring().revocation_source() if online else None,
            at=moment(at) if at is not None else None,
        )
    _print(run, result, every_check)
    raise_unless_accepted(result)


def _identity(subjects: list[str], issuer: str | None, public_keys: list[str]) -> Identity:
    from signkit.verification.policy import Identity

    if issuer == "":
        raise UsageError("--issuer is empty, expected a distinguished name", hint="leave it out to accept any issuer")
    if not (subjects or issuer or public_keys):
        return Identity()
    return Identity.of(subjects=subjects, issuer=issuer or "", public_key_sha256=public_keys)


def _print(run: Session, result: VerificationResult, every_check: bool) -> None:
    for notice in result.notices:
        run.notice(f"warning: {notice}")
    if run.json:
        from signkit.report import verification
        from signkit.version import VERSION

        run.emit(verification.document(result, tool_version=VERSION), ())
    else:
        from signkit.report import text

        run.emit({}, text.lines(result, every_check=every_check))
