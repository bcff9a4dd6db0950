"""Every byte of a signature that lives by its timestamp is changed: only SignkitError, and no mutant is accepted.

The signer's certificate has expired, so a token that is gone, altered or no longer found means a refusal. What nobody
signs are the two version numbers of SignedData, and those alone may change.
"""

from __future__ import annotations

import random

from signkit.cms import signed_data
from signkit.der import oids, reader
from signkit.errors import SignkitError
from signkit.tsp import response, token
from tests.property.test_mutation import SEED, changed, restructured, version_offset
from tests.support import cms_builder, tsa
from tests.support.judging import judge
from tests.unit.verification.test_timestamps import EXPIRED

SIGNATURE = tsa.stamped(signer=cms_builder.signer(certificate=EXPIRED), bag=())
TOKEN = next(
    attribute.values[0]
    for attribute in signed_data.parse(SIGNATURE).signed_data.signer_infos[0].unsigned_attributes
    if attribute.type == oids.SIGNATURE_TIME_STAMP
)
UNSIGNED = {version_offset(SIGNATURE), SIGNATURE.index(TOKEN) + version_offset(TOKEN)}


def test_every_byte() -> None:
    chance, accepted, mutants = random.Random(SEED), set(), 0
    assert judge(SIGNATURE).accepted
    for offset in range(len(SIGNATURE)):
        for mutant in changed(SIGNATURE, offset, chance):
            mutants += 1
            if judge(mutant).accepted:
                accepted.add(offset)
    assert mutants > 5000
    assert accepted <= UNSIGNED, f"accepted with these bytes changed: {sorted(accepted - UNSIGNED)}"


def test_in_other_order() -> None:
    """A restructured file is refused unless it proves the same time of the same signature."""
    before = signed_data.parse(SIGNATURE).signed_data.signer_infos[0]
    for mutant in restructured(SIGNATURE, 150, random.Random(SEED)):
        result = judge(mutant)
        if result.accepted:
            assert signed_data.parse(mutant).signed_data.signer_infos[0] == before
            assert result.signers[0].proven_time == tsa.STAMPED


def test_every_byte_of_what_an_authority_sends() -> None:
    """A token or response from the network: read, or refused by a SignkitError."""
    chance = random.Random(SEED)
    whole = response.granted(TOKEN).encode()
    for offset in range(len(whole)):
        for mutant in changed(whole, offset, chance):
            try:
                found = response.decode(mutant)
                found.explain()
                loaded = token.load(found.token or b"")
                loaded.authority  # noqa: B018 - it must not raise either
                token.answers(loaded, nonce=1, policy="1.2.3")
            except SignkitError:
                continue
    assert reader.parse(whole).raw == whole
