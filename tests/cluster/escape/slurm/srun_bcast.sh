#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# srun_bcast.sh - have slurmd write a program into the owner's home
#
# Wall: hidden places of slurmd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/.of-bcast || cannot "no victim"
if [ "${1:-}" = look ]; then
	[ ! -e "$file" ] || reached "$file is there"
	blocked "no $file"
fi
run_step "--bcast=$file" /usr/bin/true
planted "$file"
