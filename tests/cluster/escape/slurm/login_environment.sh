#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# login_environment.sh - get what the owner's login shell has in its
# environment
#
# Wall: hidden places of slurmd
# Bare: user
# Where: controller
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

submit --get-user-env -o "$PWD/environment-said" --wrap env
judge_said environment-said
