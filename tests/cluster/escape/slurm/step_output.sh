#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# step_output.sh - have a step's output written into the owner's home
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/of-step0 || cannot "no victim"
if [ "${1:-}" = look ]; then
	judge_mark "$file"
fi
# A pattern, so that slurmstepd writes it, and not srun.
run_step -o "${file%0}%t" echo "$MARK"
planted "$file"
