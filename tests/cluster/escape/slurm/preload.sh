#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# preload.sh - have a library of ours loaded by what Slurm runs for us
#
# Wall: nothing but the job's programs gets the job's environment
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/.of-preload || cannot "no victim"
if [ "${1:-}" = look ]; then
	judge_mark "$file"
fi
submit --export="ALL,LD_PRELOAD=$here/../preload.so,PRELOAD_FILE=$file" \
	-o "$PWD/preload-said" --wrap true
planted "$file"
