#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# input_proc.sh - have the environment of the owner's program given to the
# job
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

submit -i "/proc/$(victim pid)/environ" -o "$PWD/input-proc-said" --wrap cat
judge_said input-proc-said
