"""The options of ``verify``, for every command that verifies, and the verification that they ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_type_hints

import typer

from signkit.errors import UsageError

if TYPE_CHECKING:
    from signkit.cli.base import Session
    from signkit.ports import ArtifactSource
    from signkit.verification.policy import Identity
    from signkit.verification.result import VerificationResult


def option(metavar: str, text: str) -> Any:
    """An option with a value."""
    return typer.Option(metavar=metavar, help=text)


class VerifyOptions(NamedTuple):
    """What a user says about how to verify; each field is an option of the command line."""

    trust: Annotated[list[str], option("F", "Trust anchors, or 'system'; never implied; may repeat.")] = []
    intermediate: Annotated[list[str], option("F", "Further certificates; may repeat.")] = []
    crl: Annotated[list[str], option("F", "CRLs; may repeat.")] = []
    ocsp: Annotated[list[str], option("F", "OCSP responses; may repeat.")] = []
    tsa_trust: Annotated[list[str], option("F", "Trust anchors of timestamp authorities; may repeat.")] = []
    policy: Annotated[
        str | None, option("F", "Policy file, in place of --trust, --tsa-trust, --profile and --revocation.")
    ] = None
    signer: Annotated[
        list[str], option("DN", "The signer's subject must have all of these; may repeat (any of them).")
    ] = []
    issuer: Annotated[str | None, option("DN", "Issuer of the signer's certificate; it must have all these.")] = None
    spki_sha256: Annotated[list[str], option("HEX", "SHA-256 of the signer's public key; may repeat.")] = []
    require_identity: Annotated[bool, typer.Option("--require-identity", help="Refuse when no signer was named.")] = (
        False
    )
    profile: Annotated[str | None, option("P", "Path rules: code-signing [default], cabf, authenticode, private.")] = (
        None
    )
    revocation: Annotated[str | None, option("MODE", "require, check [default] or ignore the revocation status.")] = (
        None
    )
    online: Annotated[bool, typer.Option("--online", help="Ask the servers that certificates name for revocation.")] = (
        False
    )
    sm2_id: Annotated[str | None, option("HEX", "Identifier of SM2 signers.")] = None
    at: Annotated[str | None, option("TIME", "Judge as if now were TIME, e.g. 2027-01-31T12:00:00Z.")] = None


def with_verify_options(command: Callable[..., None]) -> Callable[..., None]:
    """Decorator: the parameter ``options: VerifyOptions`` of a command becomes the options of ``verify``."""
    hints = get_type_hints(VerifyOptions, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if parameter.annotation is VerifyOptions:
            defaults = VerifyOptions._field_defaults
            parameters += [
                inspect.Parameter(name, keyword, default=defaults[name], annotation=hints[name])
                for name in VerifyOptions._fields
            ]
        else:
            parameters.append(parameter.replace(kind=keyword))

    def wrapper(**given: Any) -> None:
        options = VerifyOptions(**{name: given.pop(name) for name in VerifyOptions._fields})
        command(**given, options=options)

    wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper


def judge(
    run: Session,
    files: Sequence[str],
    options: VerifyOptions,
    *,
    signature: str | None = None,
    source: ArtifactSource | None = None,
    progress: Callable[[int], None] | None = None,
) -> VerificationResult:
    """Verify files as the options say.

    Args:
        run: the session.
        files: the artifacts.
        options: what the user asked for.
        signature: the signature of the one artifact; None = beside each artifact.
        source: where the artifacts are read from; None = the file system.
        progress: called with the number of bytes that were just digested.

    Raises:
        UsageError: options that contradict each other, or a value that is none.
        FileError: a file that is no artifact can't be read.
    """
    from signkit.cli.arguments import moment, signer_id

    wiring = run.wiring()
    service = wiring.verifying(source=source, progress=progress)
    given = {
        "--trust": options.trust,
        "--tsa-trust": options.tsa_trust,
        "--profile": options.profile,
        "--revocation": options.revocation,
    }
    return service.verify(
        files,
        trust=options.trust,
        intermediates=options.intermediate,
        signature=signature,
        policy=service.policy(
            options.policy,
            default=lambda: wiring.verify_policy,
            instead={name: value for name, value in given.items() if value},
            identity=_identity(options),
            require_identity=options.require_identity,
        ),
        tsa_trust=options.tsa_trust,
        crls=options.crl,
        ocsp_responses=options.ocsp,
        sm2_id=signer_id(options.sm2_id),
        online=wiring.revocation_source() if options.online else None,
        at=moment(options.at) if options.at is not None else None,
    )


def _identity(options: VerifyOptions) -> Identity:
    from signkit.verification.policy import Identity

    subjects, issuer, public_keys = options.signer, options.issuer, options.spki_sha256
    if issuer == "":
        raise UsageError("--issuer is empty, expected a distinguished name", hint="leave it out to accept any issuer")
    if not (subjects or issuer or public_keys):
        return Identity()
    return Identity.of(subjects=subjects, issuer=issuer or "", public_key_sha256=public_keys)
