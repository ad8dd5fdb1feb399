#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# input.sh - have a file of the owner given to the job
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

file=$(victim home)/secret || cannot "no victim"
submit -i "$file" -o "$PWD/input-said" --wrap cat
judge_said input-said
