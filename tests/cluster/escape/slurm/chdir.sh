#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# chdir.sh - start in the home folder of the owner
#
# Wall: hidden places of slurmstepd, working folders of the policy
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

submit --chdir "$(victim home)" -o "$PWD/chdir-said" --wrap "cat secret"
judge_said chdir-said
