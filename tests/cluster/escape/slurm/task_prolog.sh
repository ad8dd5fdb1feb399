#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# task_prolog.sh - run a program before the task
#
# Wall: inside all walls
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/secret || cannot "no victim"
script task-prolog-script "cat $file > $PWD/task-prolog-said"
run_step --task-prolog "$PWD/task-prolog-script" true
judge_said task-prolog-said
