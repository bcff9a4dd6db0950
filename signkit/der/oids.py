"""Object identifiers, each with the document that assigns it."""

from __future__ import annotations

# content types (RFC 5652, RFC 3161)
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
SM2_DATA = "1.2.156.10197.6.1.4.2.1"  # GM/T 0010
SM2_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"
OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2"  # RFC 5940: an OCSP response among the CRLs of a SignedData

# attributes (RFC 5652 section 11, RFC 5035, RFC 6211, RFC 3161 appendix A)
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
MICROSOFT_TIME_STAMP = "1.3.6.1.4.1.311.3.3.1"  # the same token, where Authenticode keeps it
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"

# digest algorithms (RFC 5754, RFC 8702)
DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "1.2.840.113549.2.5": "md5",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
    "1.2.156.10197.1.401": "sm3",
}

# public keys (RFC 3279, RFC 5480)
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
SECP256R1 = "1.2.840.10045.3.1.7"
SECP384R1 = "1.3.132.0.34"
SECP521R1 = "1.3.132.0.35"
SECP256K1 = "1.3.132.0.10"
ED25519 = "1.3.101.112"  # RFC 8410
ML_DSA_44 = "2.16.840.1.101.3.4.3.17"  # RFC 9881
ML_DSA_65 = "2.16.840.1.101.3.4.3.18"
ML_DSA_87 = "2.16.840.1.101.3.4.3.19"
SM2 = "1.2.156.10197.1.301"  # GM/T 0006

# encryption of private keys (RFC 8018 appendix A, RFC 7914 section 7, GM/T 0006, GM/T 0091)
PBES2 = "1.2.840.113549.1.5.13"
PBKDF2 = "1.2.840.113549.1.5.12"
SCRYPT = "1.3.6.1.4.1.11591.4.11"
HMAC_SHA1 = "1.2.840.113549.2.7"
HMAC_SHA224 = "1.2.840.113549.2.8"
HMAC_SHA256 = "1.2.840.113549.2.9"
HMAC_SHA384 = "1.2.840.113549.2.10"
HMAC_SHA512 = "1.2.840.113549.2.11"
HMAC_SM3 = "1.2.156.10197.1.401.3.1"
HMAC_SM3_BY_GMSSL = "1.2.156.10197.1.401.2"
DES_EDE3_CBC = "1.2.840.113549.3.7"
AES_128_CBC = "2.16.840.1.101.3.4.1.2"
AES_192_CBC = "2.16.840.1.101.3.4.1.22"
AES_256_CBC = "2.16.840.1.101.3.4.1.42"
SM4_CBC = "1.2.156.10197.1.104.2"

# signatures (RFC 4055, RFC 5758)
RSA_MD5 = "1.2.840.113549.1.1.4"
RSA_SHA1 = "1.2.840.113549.1.1.5"
RSA_SHA256 = "1.2.840.113549.1.1.11"
RSA_SHA384 = "1.2.840.113549.1.1.12"
RSA_SHA512 = "1.2.840.113549.1.1.13"
RSASSA_PSS = "1.2.840.113549.1.1.10"
ECDSA_SHA1 = "1.2.840.10045.4.1"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"
ECDSA_SHA384 = "1.2.840.10045.4.3.3"
ECDSA_SHA512 = "1.2.840.10045.4.3.4"
SM2_WITH_SM3 = "1.2.156.10197.1.501"  # GM/T 0006
SM2_SIGN = "1.2.156.10197.1.301.1"

# certificate extensions (RFC 5280 section 4.2)
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
POLICY_MAPPINGS = "2.5.29.33"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
POLICY_CONSTRAINTS = "2.5.29.36"
EXTENDED_KEY_USAGE = "2.5.29.37"
INHIBIT_ANY_POLICY = "2.5.29.54"
AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1"

# CRL and CRL entry extensions (RFC 5280 sections 5.2 and 5.3, X.509 section 9.5.2.8)
CRL_NUMBER = "2.5.29.20"
REASON_CODE = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
FRESHEST_CRL = "2.5.29.46"
EXPIRED_CERTS_ON_CRL = "2.5.29.60"

# OCSP (RFC 6960 section 4) and where to ask (RFC 5280 section 4.2.2.1)
AD_OCSP = "1.3.6.1.5.5.7.48.1"
OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"
OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2"
OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
OCSP_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"

# key purposes (RFC 5280 section 4.2.1.12)
ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
LIFETIME_SIGNING = "1.3.6.1.4.1.311.10.3.13"  # Microsoft: a signature ends with its certificate, timestamp or not

# access methods, other names, content of a full PKI request (RFC 5280 section 4.2.2.1, Microsoft, RFC 5272 section 3.2)
CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3"
MICROSOFT_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14"
PKI_DATA = "1.3.6.1.5.5.7.12.2"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - RFC 2985 section 5.4.1
ISSUER_ALT_NAME = "2.5.29.18"
NETSCAPE_COMMENT = "2.16.840.1.113730.1.13"

# policies of the CA/Browser Forum (CSBR section 1.2) and of RFC 5280 section 4.2.1.4
ANY_POLICY = "2.5.29.32.0"
CABF_CODE_SIGNING = "2.23.140.1.4.1"
CABF_EV_CODE_SIGNING = "2.23.140.1.3"
CABF_TIME_STAMPING = "2.23.140.1.4.2"

NAMES = {
    DATA: "data",
    SIGNED_DATA: "signedData",
    TST_INFO: "TSTInfo",
    SM2_DATA: "data (GM/T 0010)",
    SM2_SIGNED_DATA: "signedData (GM/T 0010)",
    CONTENT_TYPE: "content-type",
    MESSAGE_DIGEST: "message-digest",
    SIGNING_TIME: "signing-time",
    SIGNING_CERTIFICATE: "signing-certificate",
    SIGNING_CERTIFICATE_V2: "signing-certificate-v2",
    ALGORITHM_PROTECTION: "cms-algorithm-protection",
    SIGNATURE_TIME_STAMP: "signature-time-stamp",
    MICROSOFT_TIME_STAMP: "signature-time-stamp (Microsoft)",
    SMIME_CAPABILITIES: "smime-capabilities",
    SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    KEY_USAGE: "keyUsage",
    SUBJECT_ALT_NAME: "subjectAltName",
    BASIC_CONSTRAINTS: "basicConstraints",
    NAME_CONSTRAINTS: "nameConstraints",
    CRL_DISTRIBUTION_POINTS: "cRLDistributionPoints",
    CERTIFICATE_POLICIES: "certificatePolicies",
    POLICY_MAPPINGS: "policyMappings",
    AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
    POLICY_CONSTRAINTS: "policyConstraints",
    EXTENDED_KEY_USAGE: "extKeyUsage",
    INHIBIT_ANY_POLICY: "inhibitAnyPolicy",
    AUTHORITY_INFO_ACCESS: "authorityInfoAccess",
    CRL_NUMBER: "cRLNumber",
    REASON_CODE: "cRLReason",
    INVALIDITY_DATE: "invalidityDate",
    DELTA_CRL_INDICATOR: "deltaCRLIndicator",
    ISSUING_DISTRIBUTION_POINT: "issuingDistributionPoint",
    CERTIFICATE_ISSUER: "certificateIssuer",
    FRESHEST_CRL: "freshestCRL",
    EXPIRED_CERTS_ON_CRL: "expiredCertsOnCRL",
    OCSP_NONCE: "id-pkix-ocsp-nonce",
    OCSP_NO_CHECK: "id-pkix-ocsp-nocheck",
    OCSP_ARCHIVE_CUTOFF: "id-pkix-ocsp-archive-cutoff",
    ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
    SERVER_AUTH: "serverAuth",
    CLIENT_AUTH: "clientAuth",
    CODE_SIGNING: "codeSigning",
    EMAIL_PROTECTION: "emailProtection",
    TIME_STAMPING: "timeStamping",
    OCSP_SIGNING: "OCSPSigning",
    RSA_ENCRYPTION: "rsaEncryption",
    RSA_MD5: "md5WithRSAEncryption",
    RSA_SHA1: "sha1WithRSAEncryption",
    ECDSA_SHA1: "ecdsa-with-SHA1",
    LIFETIME_SIGNING: "lifetimeSigning",
    CA_ISSUERS: "caIssuers",
    "1.3.6.1.5.5.7.48.1": "ocsp",
    USER_PRINCIPAL_NAME: "userPrincipalName",
    PKI_DATA: "id-cct-PKIData",
    EXTENSION_REQUEST: "extensionRequest",
    CHALLENGE_PASSWORD: "challengePassword",
    ISSUER_ALT_NAME: "issuerAltName",
    NETSCAPE_COMMENT: "netscapeComment",
    ANY_POLICY: "anyPolicy",
    CABF_CODE_SIGNING: "CA/B Forum code signing",
    CABF_EV_CODE_SIGNING: "CA/B Forum EV code signing",
    CABF_TIME_STAMPING: "CA/B Forum timestamping",
}
"""Names for people, where the standards have one."""


def name(dotted: str) -> str:
    """The standard's name of an object identifier, or its dotted form."""
    return NAMES.get(dotted) or DIGESTS.get(dotted) or dotted
