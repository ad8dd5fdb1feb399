#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shell.sh - a loop with children, in the fore- and background
. ../programs/section.sh
n=0
for s in $SECTIONS; do
	section "$s"
	for _ in $(seq 40); do
		n=$((n + 1))
		(exit $((n % 7))) &
		wait $! && status=0 || status=$?
		echo "$n $$ $status $(echo "$n" | md5sum)"
		sleep 0.05
	done
done
echo "end $n" > result
