"""One audit entry: who did what with which key version, and what came of it. Never secrets, never plaintext."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple


class AuditEntry(NamedTuple):
    """One entry of the audit log.

    Attributes:
        at: aware UTC time.
        principal: who asked, for example ``os:alice``.
        action: KMS action name, for example ``AsymmetricSign``.
        result: ``ok`` or an error code.
        request_id: UUID shared by the entries of one call.
        key_id: key concerned, or empty.
        version: number of the key version concerned, or 0.
        algorithm: signature algorithm used, or empty.
        digest_hex: lower-case hex digest of the artifact or input, or empty.
        detail: short free text (alias name, file name); never a secret.
    """

    at: datetime
    principal: str
    action: str
    result: str
    request_id: str
    key_id: str = ""
    version: int = 0
    algorithm: str = ""
    digest_hex: str = ""
    detail: str = ""

    def encode(self) -> bytes:
        """Canonical JSON, the leaf data of the log: sorted names, no spaces, UTF-8."""
        fields = self._asdict()
        fields["at"] = self.at.strftime(_TIME)
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def decode(cls, data: bytes) -> AuditEntry:
        """The entry that ``encode`` wrote.

        Raises:
            ValueError: it is not one in its canonical form.
        """
        try:
            fields = json.loads(data)
            entry = cls(**{**fields, "at": datetime.fromisoformat(fields["at"])})
            if entry.encode() != data or [type(value) for value in entry[1:]] != _TYPES:
                raise ValueError("not in canonical form")
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"not an entry: {error!r}") from None
        return entry


_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_TYPES = [str, str, str, str, str, int, str, str, str]
