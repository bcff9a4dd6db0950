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
        fields["at"] = self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
