#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# task_epilog.sh - run a program after the task
#
# Wall: no programs from slurmstepd itself
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/secret || cannot "no victim"
script task-epilog-script "cat $file > $PWD/task-epilog-said"
run_step --task-epilog "$PWD/task-epilog-script" true
judge_said task-epilog-said
