#!/usr/bin/env bash
# Signs build output, verifies it by the release's own policy, and writes a kit for its consumers: release-signing.sh FOLDER
#
#   SIGNKIT_KEY              key version to sign with, KEY@V; the line that a rotation changes
#   SIGNKIT_POLICY           the release's own policy, which every signature must satisfy
#   SIGNKIT_HOME             folder of the store
#   SIGNKIT_PASSPHRASE_FILE  file with the passphrase of the store, when its root key is prompt:
#   SIGNKIT_TIMESTAMP_URL    timestamp authority; empty = no timestamp
#   SIGNKIT_KIT              folder for the kit (default: verification-kit)
#   SIGNKIT_KIT_TRUST        file with the trust anchors of the kit (default: the root of the signer's chain)
#   SIGNKIT_REPORTS          folder for the reports (default: signkit-reports)
#   SIGNKIT                  the program (default: signkit)
#
# Secrets are named by file and never stand on a command line. When something is missing it ends before it has written
# anything; when the policy refuses what was signed, the signatures and the kit are taken away again.
set -euo pipefail
umask 022

fail() {  # fail STATUS MESSAGE HINT
  printf 'release-signing: error: %s\nrelease-signing: hint: %s\n' "$2" "$3" >&2
  exit "$1"
}

need() {  # need VARIABLE WHAT
  [ -n "${!1:-}" ] || fail 2 "$1 is not set, expected $2" 'see the head of release-signing.sh'
}

[ $# = 1 ] || fail 2 "found $# arguments, expected one folder" 'release-signing.sh FOLDER'
folder=${1%/}
[ -d "${folder:-/}" ] || fail 3 "$1: is no folder" 'name the folder with the build output'
need SIGNKIT_KEY 'a key version such as alias/release@2'
need SIGNKIT_POLICY 'the path of a policy file'
need SIGNKIT_HOME 'the folder of the store'
[ -f "$SIGNKIT_POLICY" ] || fail 3 "$SIGNKIT_POLICY: there is no such policy file" 'check the path in SIGNKIT_POLICY'
[ -f "$SIGNKIT_HOME/store.db" ] || fail 3 "$SIGNKIT_HOME: has no store" "mount the store there, or make one: 'signkit init'"
signkit=${SIGNKIT:-signkit}
kit=${SIGNKIT_KIT:-verification-kit}
reports=${SIGNKIT_REPORTS:-signkit-reports}
[ ! -e "$kit" ] || fail 4 "$kit: exists" 'each release gets a kit of its own: remove it, or set SIGNKIT_KIT'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${SIGNKIT_PASSPHRASE_FILE:-}" ]; then
  [ -s "$SIGNKIT_PASSPHRASE_FILE" ] || fail 3 'the file in SIGNKIT_PASSPHRASE_FILE is missing or empty' 'has this job the secret?'
  # CI systems write files that others can read; signkit reads a secret from a private one only.
  (umask 077 && cat "$SIGNKIT_PASSPHRASE_FILE" > "$work/passphrase")
  export SIGNKIT_PASSPHRASE_FILE="$work/passphrase"
fi

odd=$(find "$folder" ! -type f ! -type d -print -quit)
[ -z "$odd" ] || fail 3 "$odd: is neither a file nor a folder" 'deliver plain files only'
artifacts=()
while IFS= read -r -d '' path; do artifacts+=("$path"); done < <(
  find "$folder" -type f ! -name '*.p7s' -print0 | LC_ALL=C sort -z
)
[ "${#artifacts[@]}" -gt 0 ] || fail 3 "$folder: has no file to sign" 'run the build before'
old=$(find "$folder" -name '*.p7s' -print -quit)
[ -z "$old" ] || fail 4 "$old: is a signature already" 'sign fresh build output'

options=(--key "$SIGNKIT_KEY" --kit "$kit")
[ -z "${SIGNKIT_KIT_TRUST:-}" ] || options+=(--kit-trust "$SIGNKIT_KIT_TRUST")
[ -z "${SIGNKIT_TIMESTAMP_URL:-}" ] || options+=(--timestamp "$SIGNKIT_TIMESTAMP_URL")

# All that can be found out before the first signature: store and root key, policy, key version, certificate, outputs.
"$signkit" policy check "$SIGNKIT_POLICY" > /dev/null
"$signkit" doctor > "$work/doctor" 2>&1 || { status=$?; cat "$work/doctor" >&2; exit "$status"; }
"$signkit" sign --dry-run --quiet "${options[@]}" -- "${artifacts[@]}"

take_back() {
  rm -rf "$kit"
  for artifact in "${artifacts[@]}"; do rm -f "$artifact.p7s"; done
}

status=0
"$signkit" sign "${options[@]}" -- "${artifacts[@]}" || status=$?
[ "$status" = 0 ] || { take_back; exit "$status"; }

mkdir -p "$reports"
judge=(--policy "$SIGNKIT_POLICY" --force)
for report in json:json sarif:sarif junit:xml markdown:md html:html; do
  judge+=(--report "${report%:*}=$reports/verification.${report#*:}")
done
[ "${GITHUB_ACTIONS:-}" != true ] || judge+=(--report github)
"$signkit" verify "${judge[@]}" -- "${artifacts[@]}" || status=$?
[ "$status" = 0 ] || take_back
[ -z "${GITHUB_OUTPUT:-}" ] || printf 'exit-status=%s\nkit=%s\nreports=%s\n' "$status" "$kit" "$reports" >> "$GITHUB_OUTPUT"
exit "$status"
