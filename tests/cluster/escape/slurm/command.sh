#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# command.sh - ask slurmctld for the queue
#
# Wall: mount namespace, network namespace
# Bare: user
here=$(dirname "$0")
# shellcheck source=tests/cluster/escape/attempt.sh
. "$here/../attempt.sh"

command -v squeue > /dev/null || cannot "no squeue here"
answer=$(SLURM_CONF=$(victim slurm_conf) timeout 5 squeue 2>&1) ||
	blocked "$(printf '%s' "$answer" | head -n 1)"
reached "slurmctld answers"
