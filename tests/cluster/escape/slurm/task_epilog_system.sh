#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# task_epilog_system.sh - let a program of the system do it after the task
#
# Wall: no programs from slurmstepd itself
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

# ldd is a script of the system; what bash reads first is ours.
script epilog-env "kill -USR1 $(victim pid) && echo $MARK > $PWD/env-said"
rm -f env-said
BASH_ENV=$PWD/epilog-env run_step --task-epilog /usr/bin/ldd true
! grep -qs "$MARK" env-said || reached "the owner's program got it"
blocked "nothing was sent"
