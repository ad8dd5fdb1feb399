#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_hash.sh - parts add up to the whole, and wrong parts are named
set -u
[ -x "$HASHSEARCH" ] || { echo "hashsearch was not built"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "test_hash: $*" >&2; exit 1; }
# 20011 is prime: no two parts are equal by luck.
search() { # COMMAND PARTS [OPTION...]
	local command=$1 parts=$2
	shift 2
	"$HASHSEARCH" "$command" --dir "$dir" --text volunteer --bits 10 \
		--range 20011 --parts "$parts" "$@"
}
rejects() { # MESSAGE
	search collect 7 >/dev/null 2>"$dir/err" && fail "accepted: $1"
	grep -q "$1" "$dir/err" || fail "no \"$1\" in: $(cat "$dir/err")"
}

search part 1 --part 0 || fail "whole"
search collect 1 >"$dir/whole" 2>/dev/null || fail "collect the whole"
[ -s "$dir/whole" ] || fail "no hit in the whole range"
rm "$dir"/part.*
for k in 0 1 2 3 4 5 6; do search part 7 --part $k || fail "part $k"; done
search collect 7 >"$dir/parts" 2>/dev/null || fail "collect the parts"
cmp "$dir/whole" "$dir/parts" || fail "parts and whole differ"

# Another program agrees about the first hit.
read -r nonce digest <"$dir/whole"
[ "$(printf 'volunteer%s' "$nonce" | sha256sum | cut -d' ' -f1)" = "$digest" ] ||
	fail "sha256sum says otherwise about $nonce"

cp "$dir/part.3" "$dir/good"
rm "$dir/part.3"; rejects "part 3 is missing"
cp "$dir/part.2" "$dir/part.3"; rejects "part 3 is of another search"
grep -v '^end' "$dir/good" >"$dir/part.3"; rejects "part 3 is cut short"
begin=$(sed -n 's/.*range \([0-9]*\)\.\..*/\1/p' "$dir/good")
(head -n 1 "$dir/good"; echo "$begin $digest"; echo end) >"$dir/part.3"
rejects "part 3 has a hit that is none"
(head -n 1 "$dir/good"; echo "$nonce $digest"; echo end) >"$dir/part.3"
[ "$nonce" -ge "$begin" ] || rejects "part 3 has a hit outside its range"
exit 0
