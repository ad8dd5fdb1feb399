#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_matmul.sh - a right product passes, every kind of wrong tile is named
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
d=$dir/m

fail() { echo "test_matmul: $*" >&2; exit 1; }
rejects() { # MESSAGE
	"$MATMUL" check --dir "$d" --tiles 3 >/dev/null 2>"$dir/err" &&
		fail "accepted: $1"
	grep -q "$1" "$dir/err" || fail "no \"$1\" in: $(cat "$dir/err")"
}

# 100 is not a multiple of 3: tiles of 33 and 34.
"$MATMUL" gen --dir "$d" --size 100 --seed 7 || fail gen
for i in 0 1 2; do for j in 0 1 2; do
	"$MATMUL" tile --dir "$d" --tiles 3 --row $i --col $j || fail "tile $i $j"
done; done
"$MATMUL" check --dir "$d" --tiles 3 >/dev/null || fail "a right product"

cp "$d/C.1.2" "$dir/good"
rm "$d/C.1.2"; rejects "tile 1,2 is missing"
cp "$d/C.1.1" "$d/C.1.2"; rejects "tile 1,2 is another tile"
head -c 500 "$dir/good" >"$d/C.1.2"; rejects "tile 1,2 is cut short"
(cat "$dir/good"; echo) >"$d/C.1.2"; rejects "tile 1,2 is too long"
cp "$dir/good" "$d/C.1.2"
printf '\1' | dd of="$d/C.1.2" bs=1 seek=1000 conv=notrunc 2>/dev/null
rejects "tile 1,2 is damaged"

# A liar: one element changed and the fingerprint made to fit.
python3 - "$dir/good" "$d/C.1.2" <<'END' || fail "python3"
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
head = 8 + 4 * 4 + 8 + 8 + 64
data[head + 40] ^= 1
sum_ = 14695981039346656037
for byte in data[head:]:
    sum_ = ((sum_ ^ byte) * 1099511628211) % 2**64
struct.pack_into("<Q", data, 8 + 16 + 8, sum_)
open(sys.argv[2], "wb").write(data)
END
rejects "tile 1,2 is not the product"

cp "$dir/good" "$d/C.1.2"
"$MATMUL" check --dir "$d" --tiles 3 >/dev/null || fail "repaired product"
"$MATMUL" gen --dir "$d" --size 100 --seed 8 || fail gen
rejects "tile 0,0 was made from other inputs"
"$MATMUL" tile --dir "$d" --tiles 3 --row 3 --col 0 2>/dev/null &&
	fail "tile outside the product"
exit 0
