#!/usr/bin/env bash
# Lets a folder through only when every file in it is accepted by a policy: verification-gate.sh FOLDER
#
#   SIGNKIT_POLICY    the policy file; take it from a protected place, never from the folder that is judged
#   SIGNKIT_REPORTS   folder for the reports (default: signkit-reports)
#   SIGNKIT_ONLINE    1 = ask the servers that certificates name for revocation
#   SIGNKIT           the program (default: signkit)
#
# It ends with the status of 'signkit verify': 0, or the reason of the refusal (signkit help exit-codes).
set -euo pipefail

fail() {  # fail STATUS MESSAGE HINT
  printf 'verification-gate: error: %s\nverification-gate: hint: %s\n' "$2" "$3" >&2
  exit "$1"
}

[ $# = 1 ] || fail 2 "found $# arguments, expected one folder" 'verification-gate.sh FOLDER'
folder=${1%/}
[ -d "${folder:-/}" ] || fail 3 "$1: is no folder" 'name the folder with the files and their signatures'
policy=${SIGNKIT_POLICY:-}
[ -n "$policy" ] || fail 2 'SIGNKIT_POLICY is not set, expected the path of a policy file' "'signkit help policy' shows one"
[ -f "$policy" ] || fail 3 "$policy: there is no such policy file" 'check the path in SIGNKIT_POLICY'
reports=${SIGNKIT_REPORTS:-signkit-reports}
signkit=${SIGNKIT:-signkit}

case "$(realpath "$policy")" in
  "$(realpath "$folder")"/*) fail 4 "$policy lies in the folder that is judged" 'whoever can change the files could change it' ;;
esac

# What is neither file nor folder (links, devices) can't be judged, and would be let through unseen.
odd=$(find "$folder" ! -type f ! -type d -print -quit)
[ -z "$odd" ] || fail 3 "$odd: is neither a file nor a folder" 'deliver plain files only'

# Every file that is not a signature, and the missing one of each signature that stands alone.
artifacts=()
while IFS= read -r -d '' path; do
  case "$path" in
    *.p7s) [ -e "${path%.p7s}" ] || artifacts+=("${path%.p7s}") ;;
    *) artifacts+=("$path") ;;
  esac
done < <(find "$folder" -type f -print0 | LC_ALL=C sort -z)
[ "${#artifacts[@]}" -gt 0 ] || fail 3 "$folder: has no file to judge" 'a gate with nothing to judge lets nothing through'

mkdir -p "$reports"
options=(--policy "$policy" --force)
for report in json:json sarif:sarif junit:xml markdown:md html:html; do
  options+=(--report "${report%:*}=$reports/verification.${report#*:}")
done
[ "${GITHUB_ACTIONS:-}" != true ] || options+=(--report github)
[ "${SIGNKIT_ONLINE:-0}" != 1 ] || options+=(--online)

status=0
"$signkit" verify "${options[@]}" -- "${artifacts[@]}" || status=$?
[ -z "${GITHUB_OUTPUT:-}" ] || printf 'exit-status=%s\nreports=%s\n' "$status" "$reports" >> "$GITHUB_OUTPUT"
exit "$status"
