#!/usr/bin/env bash
# From a new key version to its certificate, in steps with the authority's answer in between: ca-onboarding.sh STEP
#
#   request          make the key, or its next version when it exists, and the hand-over folder for the authority
#   import FILE...   bind what the authority sent to the key version, after looking at it
#   watch            end with 15 when a certificate runs out soon
#
#   SIGNKIT_HOME             folder of the store
#   SIGNKIT_PASSPHRASE_FILE  file with the passphrase of the store, when its root key is prompt:
#   SIGNKIT                  the program (default: signkit)
# request:
#   SIGNKIT_ALIAS            name of the key, alias/release
#   SIGNKIT_SUBJECT          distinguished name to ask for, CN=Acme Release,O=Acme,C=DE
#   SIGNKIT_KEY_TYPE         type of a new key (default: EC_P256)
#   SIGNKIT_HANDOVER         folder to make (default: handover)
# import:
#   SIGNKIT_KEY              key version that was requested, alias/release@2
#   SIGNKIT_TRUST            the authority's root, which the chain must reach; from another way than the certificate
# watch:
#   SIGNKIT_WITHIN           how soon is soon (default: 30d)
#   SIGNKIT_CALENDAR         iCalendar file to write (default: none)
set -euo pipefail
umask 022

fail() {  # fail STATUS MESSAGE HINT
  printf 'ca-onboarding: error: %s\nca-onboarding: hint: %s\n' "$2" "$3" >&2
  exit "$1"
}

need() {  # need VARIABLE WHAT
  [ -n "${!1:-}" ] || fail 2 "$1 is not set, expected $2" 'see the head of ca-onboarding.sh'
}

signkit=${SIGNKIT:-signkit}
step=${1:-}
[ $# = 0 ] || shift
case "$step" in
  request | watch) [ $# = 0 ] || fail 2 "$step takes no arguments, found $#" 'see the head of ca-onboarding.sh' ;;
  import) [ $# -gt 0 ] || fail 2 'import needs the files that the authority sent' 'ca-onboarding.sh import FILE...' ;;
  *) fail 2 "'$step' is no step, expected request, import or watch" 'ca-onboarding.sh request' ;;
esac
need SIGNKIT_HOME 'the folder of the store'
[ -f "$SIGNKIT_HOME/store.db" ] || fail 3 "$SIGNKIT_HOME: has no store" "mount the store there, or make one: 'signkit init'"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${SIGNKIT_PASSPHRASE_FILE:-}" ]; then
  [ -s "$SIGNKIT_PASSPHRASE_FILE" ] || fail 3 'the file in SIGNKIT_PASSPHRASE_FILE is missing or empty' 'has this job the secret?'
  # CI systems write files that others can read; signkit reads a secret from a private one only.
  (umask 077 && cat "$SIGNKIT_PASSPHRASE_FILE" > "$work/passphrase")
  export SIGNKIT_PASSPHRASE_FILE="$work/passphrase"
fi

member() {  # member NAME: the first string or number of that name in the JSON on stdin
  sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

request() {
  need SIGNKIT_ALIAS 'a name such as alias/release'
  need SIGNKIT_SUBJECT 'a distinguished name such as CN=Acme Release,O=Acme,C=DE'
  local handover=${SIGNKIT_HANDOVER:-handover} number key
  [ ! -e "$handover" ] || fail 4 "$handover: exists" 'send what is in it, or set SIGNKIT_HANDOVER to another folder'
  "$signkit" doctor > "$work/doctor" 2>&1 || { status=$?; cat "$work/doctor" >&2; exit "$status"; }

  "$signkit" --json alias list > "$work/aliases"
  if grep -qF "\"$SIGNKIT_ALIAS\"" "$work/aliases"; then
    number=$("$signkit" --json version create "$SIGNKIT_ALIAS" | member number)
  else
    "$signkit" --quiet key create --type "${SIGNKIT_KEY_TYPE:-EC_P256}" --alias "$SIGNKIT_ALIAS"
    number=1
  fi
  key="$SIGNKIT_ALIAS@$number"

  "$signkit" csr create "$key" --subject "$SIGNKIT_SUBJECT" --out "$work/request.csr"
  "$signkit" csr check "$work/request.csr"
  mkdir -p "$handover"
  cp "$work/request.csr" "$handover/request.csr"
  {
    echo 'Certification request (PKCS #10) for a code-signing certificate.'
    echo
    "$signkit" csr show "$work/request.csr"
    echo
    echo "key version: $key (for the import; the authority does not need it)"
    echo 'Please compare the fingerprint of the public key by telephone before you issue, and send'
    echo 'the certificate with all issuing certificates.'
  } > "$handover/README.txt"
  echo "hand over $handover/request.csr; then: SIGNKIT_KEY=$key ca-onboarding.sh import FILE..."
  [ -z "${GITHUB_OUTPUT:-}" ] || printf 'key=%s\nhandover=%s\n' "$key" "$handover" >> "$GITHUB_OUTPUT"
}

import() {
  need SIGNKIT_KEY 'the key version that was requested, such as alias/release@2'
  need SIGNKIT_TRUST "the file with the authority's root"
  local file chain=()
  for file in "$@" "$SIGNKIT_TRUST"; do [ -f "$file" ] || fail 3 "$file: there is no such file" 'check the path'; done
  for file in "$@"; do chain+=(--intermediate "$file"); done
  "$signkit" cert import "$SIGNKIT_KEY" "$@" --dry-run
  "$signkit" cert validate "$1" "${chain[@]}" --trust "$SIGNKIT_TRUST" --purpose code-signing
  # The root goes with the chain, so that 'sign --kit' can pin it.
  "$signkit" cert import "$SIGNKIT_KEY" "$@" "$SIGNKIT_TRUST"
}

watch() {
  local options=(--within "${SIGNKIT_WITHIN:-30d}")
  [ -z "${SIGNKIT_CALENDAR:-}" ] || options+=(--ical "$SIGNKIT_CALENDAR" --force)
  "$signkit" cert expiry "${options[@]}"
}

"$step" "$@"
