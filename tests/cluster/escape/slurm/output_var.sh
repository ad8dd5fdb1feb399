#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# output_var.sh - have the job's output written over state that is the
# owner's
#
# Wall: read-only system of slurmstepd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim var_output) || cannot "no victim"
if [ "${1:-}" = look ]; then
	judge_mark "$file"
fi
submit -o "$file" --wrap "echo $MARK"
planted "$file"
