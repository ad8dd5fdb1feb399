#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# nohup.sh - leave a process by the shell's own means
#
# Wall: pid namespace, cgroup.kill
# Bare: user
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

if [ "${1:-}" = look ]; then
	for comm in /proc/[0-9]*/comm; do
		if grep -qsx esc-nohup "$comm"; then
			reached "esc-nohup still runs"
		fi
	done
	blocked "no esc-nohup runs"
fi
# A name of its own: the process is named by its program.
folder=$(mktemp -d) || cannot "make a folder"
cp "$(command -v sleep)" "$folder/esc-nohup" || cannot "copy sleep"
nohup setsid "$folder/esc-nohup" 300 > /dev/null 2>&1 < /dev/null &
planted "a process that ignores the end of its terminal"
