#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# task_epilog_signal.sh - signal a program of the owner after the task
#
# Wall: no programs from slurmstepd itself
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

script task-epilog-kill "kill -USR1 $(victim pid) && echo $MARK > $PWD/kill-said"
rm -f kill-said
run_step --task-epilog "$PWD/task-epilog-kill" true
! grep -qs "$MARK" kill-said || reached "the owner's program got it"
blocked "nothing was sent"
