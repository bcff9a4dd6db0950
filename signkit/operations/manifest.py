"""One signature for a folder: ``SHA256SUMS`` lists the digest of each file, ``SHA256SUMS.p7s`` signs the list."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from signkit.algorithms import digests
from signkit.errors import FileError, MalformedError, RefusedError, UsageError, VerificationError
from signkit.formats import checksums
from signkit.formats.checksums import Manifest, Rules
from signkit.keys.reference import KeyReference
from signkit.operations import verify
from signkit.operations.sign import Signed, SigningService, SignOptions
from signkit.ports import ArtifactSource, Digests, OutputSink, Tree, TreeEntry
from signkit.verification.result import UNAVAILABLE, VerificationResult, combine_statuses

SUFFIX = ".p7s"
CHANGED, MISSING, UNSIGNED, MALFORMED = 12, UNAVAILABLE, 10, 11
_OWN = (checksums.NAME, checksums.NAME + SUFFIX)

Judge = Callable[[ArtifactSource, str], VerificationResult]
"""Verifies the signature of the artifact at a path, which it reads from that source."""


class CreatedManifest(NamedTuple):
    """A manifest that was made.

    Attributes:
        path: where it lies.
        files: how many files it lists.
        size: bytes of all of them.
        signed: what signing it came to.
    """

    path: str
    files: int
    size: int
    signed: Signed


class TreeResult(NamedTuple):
    """What verifying a folder came to. Its truth value is ``accepted``.

    Attributes:
        folder: the folder.
        verification: the verdict on the signature of its manifest.
        rules: the rules that chose the files; signed with them.
        verified: how many files are what was signed.
        changed: names of files that are not what was signed.
        missing: names of signed files that are not there.
        unsigned: names of what is there and was not signed.
        problem: why the manifest could not be read though its signature is right, or None.
    """

    folder: str
    verification: VerificationResult
    rules: Rules = Rules()
    verified: int = 0
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    problem: MalformedError | None = None

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def accepted(self) -> bool:
        """Whether the signature was accepted and the files are exactly what was signed."""
        return self.exit_status == 0

    @property
    def exit_status(self) -> int:
        """0, or the status of the weightiest fault."""
        found = [self.verification.exit_status] if not self.verification.accepted else []
        found += [MALFORMED] if self.problem is not None else []
        found += [CHANGED] if self.changed else []
        found += [MISSING] if self.missing else []
        found += [UNSIGNED] if self.unsigned else []
        return combine_statuses(found) if found else 0


def raise_unless_accepted(result: TreeResult) -> None:
    """What must not be ignored is an exception.

    Raises:
        VerificationError: the signature was refused, or the files are not exactly what was signed.
        MalformedError: the manifest can't be read though its signature is right.
    """
    verify.raise_unless_accepted(result.verification)
    if result.problem is not None:
        raise result.problem
    for names, what, hint in (
        (result.unsigned, "not signed", "remove what does not belong there, or have a manifest made anew"),
        (result.changed, "not what was signed", "get the files anew; who changed them did not sign them"),
        (result.missing, "missing", "get the files anew, or have a manifest made of what is there"),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            message = f"{os.path.join(result.folder, names[0])}{more}: {what}, expected the files of {checksums.NAME}"
            raise VerificationError(message, result=result.verification, hint=hint, exit_status=result.exit_status)


class ManifestService:
    """Makes and verifies manifests of folders."""

    def __init__(
        self,
        tree: Tree,
        source: ArtifactSource,
        sink: OutputSink,
        signing: Callable[[ArtifactSource], SigningService] | None = None,
    ) -> None:
        """Take the parts.

        Args:
            tree: lists and digests files.
            source: reads single files.
            sink: writes files.
            signing: makes a signing service that reads from a source; None where nothing is signed.
        """
        self._tree = tree
        self._source = source
        self._sink = sink
        self._signing = signing

    def create(
        self,
        folder: str,
        references: KeyReference | Sequence[KeyReference],
        rules: Rules,
        options: SignOptions,
        *,
        follow_links: bool = False,
    ) -> CreatedManifest:
        """Write ``SHA256SUMS`` and its signature into a folder; one use of each key, however many files there are.

        Args:
            folder: the folder.
            references: key versions; each signs the manifest.
            rules: which files are meant.
            options: how to sign.
            follow_links: whether links that stay within the folder count as the files they lead to.

        Raises:
            UsageError: a rule is no pattern, or no file matches.
            RefusedError: there is a link or special file that no rule leaves out.
            FileError: a file can't be read, changed meanwhile, or the manifest can't be written.
            OutputExistsError: there is a manifest already.
        """
        if self._signing is None:
            raise TypeError("this service was made without signing")
        path = os.path.join(folder, checksums.NAME)
        self._sink.check((path,), overwrite=options.overwrite)
        chosen = self._chosen(folder, rules)
        _require_files(chosen, folder, follow_links=follow_links)
        listed = {entry.name: digest for entry, digest in self._tree.digest(folder, chosen, checksums.DIGEST)}
        data = checksums.encode(Manifest(listed, rules))
        if len(data) > checksums.MAXIMUM_BYTES:
            raise UsageError(f"the manifest would have {len(data)} bytes, expected at most {checksums.MAXIMUM_BYTES}")
        signed = self._signing(_OneFile(path, data, self._source)).sign([path], references, options)
        if not options.dry_run:
            self._sink.write(path, data, overwrite=options.overwrite)
        return CreatedManifest(path, len(chosen), sum(entry.size for entry in chosen), signed)

    def verify(self, folder: str, judge: Judge, *, only: Collection[str] = ()) -> TreeResult:
        """Verify a folder against its signed manifest.

        Args:
            folder: the folder.
            judge: verifies the manifest's signature.
            only: names of single files to verify without looking at the others; empty = the whole folder.

        Raises:
            UsageError: a name in ``only`` is not below the folder.
            FileError: the folder or a file in it can't be read.
        """
        path = os.path.join(folder, checksums.NAME)
        try:
            data = self._source.read(path, limit=checksums.MAXIMUM_BYTES, what="manifest")
        except FileError:
            return TreeResult(folder, judge(self._source, path))
        verification = judge(_OneFile(path, data, self._source), path)
        if not verification.accepted:
            return TreeResult(folder, verification)
        try:
            manifest = checksums.decode(data)
        except MalformedError as error:
            return TreeResult(folder, verification, problem=error)
        names = frozenset(_relative(name, folder) for name in only)
        return self._compare(folder, verification, manifest, names)

    def _compare(
        self, folder: str, verification: VerificationResult, manifest: Manifest, names: frozenset[str]
    ) -> TreeResult:
        there = {entry.name: entry for entry in self._chosen(folder, manifest.rules, names)}
        wanted = [name for name in manifest.digests if not names or name in names]
        present = [there[name] for name in wanted if name in there and there[name].is_file]
        found = {entry.name: digest for entry, digest in self._tree.digest(folder, present, checksums.DIGEST)}
        changed = [name for name in wanted if name in there and found.get(name) != manifest.digests[name]]
        missing = [name for name in (*wanted, *names) if name not in there]
        return TreeResult(
            folder,
            verification,
            manifest.rules,
            len(present) - sum(name in found for name in changed),
            tuple(sorted(changed)),
            tuple(sorted(set(missing))),
            tuple(sorted(name for name in there if name not in manifest.digests)),
        )

    def _chosen(self, folder: str, rules: Rules, names: frozenset[str] = frozenset()) -> list[TreeEntry]:
        """What the rules mean, without the manifest itself; when names are given, only those, rules or no rules."""
        if names:
            return self._tree.entries(folder, lambda name: name not in names)
        matcher = rules.matcher()
        return self._tree.entries(folder, lambda name: name in _OWN or not matcher.chooses(name))


class _OneFile:
    """An artifact source in which one file is in memory, so that what is judged or signed is what was read."""

    def __init__(self, path: str, data: bytes, others: ArtifactSource) -> None:
        self._path = path
        self._data = data
        self._others = others

    def digest(self, path: str, algorithms: Collection[str]) -> Digests:
        """See ``ports.ArtifactSource.digest``."""
        if path != self._path:
            return self._others.digest(path, algorithms)
        values: Mapping[str, bytes] = {name: digests.digest(name, self._data) for name in algorithms}
        return Digests(len(self._data), values, self._data[:8])

    def read(self, path: str, *, limit: int, what: str) -> bytes:
        """See ``ports.ArtifactSource.read``."""
        return self._others.read(path, limit=limit, what=what)

    def exists(self, path: str) -> bool:
        """See ``ports.ArtifactSource.exists``."""
        return path == self._path or self._others.exists(path)


def _require_files(entries: Iterable[TreeEntry], folder: str, *, follow_links: bool) -> None:
    """Refuse what has no content of its own; a manifest that silently left it out would claim too much."""
    empty = True
    for entry in entries:
        empty = False
        if entry.is_link and not follow_links:
            raise RefusedError(
                f"{os.path.join(folder, entry.name)}: is a symbolic link, expected regular files",
                hint="leave it out with --exclude, or count links within the folder as files with --follow",
            )
        if not entry.is_file:
            what = "leads out of the folder or to no file" if entry.is_link else "is neither file nor folder"
            raise RefusedError(
                f"{os.path.join(folder, entry.name)}: {what}, expected regular files",
                hint="leave it out with --exclude",
            )
    if empty:
        raise UsageError(
            f"{folder}: no file to sign, expected at least one",
            hint="check the folder and the rules --include, --exclude",
        )


def _relative(name: str, folder: str) -> str:
    """A file as the user names it, from the folder or from where he stands, as a name in the manifest."""
    for path in (os.path.join(folder, name), name):
        found = os.path.relpath(path, folder).replace(os.sep, "/")
        if os.path.lexists(path) and not found.startswith("../"):
            return found
    found = os.path.normpath(name).replace(os.sep, "/")
    if found.startswith(("../", "/")):
        raise UsageError(f"'{name}' is not below {folder}", hint="name files below the folder")
    return found
