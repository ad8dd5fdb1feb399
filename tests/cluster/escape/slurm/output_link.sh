#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# output_link.sh - have the job's output written through a link
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/to-link || cannot "no victim"
if [ "${1:-}" = look ]; then
	judge_mark "$file"
fi
ln -sfn "$file" output-link || cannot "make a link"
submit -o "$PWD/output-link" --wrap "echo $MARK"
planted "$file"
