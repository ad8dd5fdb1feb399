#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# input_etc.sh - have a setting of the machine given to the job
#
# Wall: hidden places of slurmstepd
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

submit -i "$(victim etc_file)" -o "$PWD/input-etc-said" --wrap cat
judge_said input-etc-said
