#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pipeline.sh - five stages, the last but one of which keeps all until the end
. ../programs/section.sh
exec 3>&1
for s in $SECTIONS; do
	section "$s" >&3
	for i in $(seq 40); do
		echo "$s-$i"
		sleep 0.05
	done
done |
	sed -u 's/-/ /' |
	awk '{ print ($1 * 7919 + $2 * 104729) % 1009, $0; fflush() }' |
	sort -n |
	while read -r line; do
		echo "$line $(echo "$line" | cksum)"
	done > result
echo "${PIPESTATUS[*]} $(md5sum < result)"
