#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# output_terminal.sh - have the job's output shown on a terminal of the
# owner
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
# Look: device
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

if [ "${1:-}" = look ]; then
	! grep -qs "came to terminal of output" "$(victim log_of_touches)" ||
		reached "the owner saw it"
	blocked "nothing was written"
fi
terminal=$(victim terminal_output) || cannot "no victim"
submit -o "$terminal" --wrap "echo $MARK"
planted "$terminal"
