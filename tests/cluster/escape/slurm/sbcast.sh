#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sbcast.sh - have slurmd write a file into the owner's home
#
# Wall: hidden places of slurmd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/.of-sbcast || cannot "no victim"
if [ "${1:-}" = look ]; then
	judge_mark "$file"
fi
echo "$MARK" > to-sbcast
# shellcheck disable=SC2086
timeout 60 salloc -Q $SITE sbcast -f to-sbcast "$file" > sbcast-log 2>&1 ||
	blocked "$(tail -n 1 sbcast-log)"
planted "$file"
