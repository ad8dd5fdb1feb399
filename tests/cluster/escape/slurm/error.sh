#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# error.sh - have the job's errors written over a file of the owner
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/to-error || cannot "no victim"
if [ "${1:-}" = look ]; then
	judge_mark "$file"
fi
submit -o /dev/null -e "$file" --wrap "echo $MARK >&2"
planted "$file"
