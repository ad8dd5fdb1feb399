# SPDX-License-Identifier: GPL-2.0-or-later
# attempt.sh - attempt.h for scripts; to be sourced
# shellcheck shell=sh

reached() {
	echo "reached: $*"
	exit 0
}

planted() {
	echo "planted: $*"
	exit 0
}

blocked() {
	echo "blocked: $*"
	exit 1
}

cannot() {
	echo "cannot: $*"
	exit 2
}

# victim KEY - its value in the list of victims; fails if there is none, so:
#	home=$(victim home) || cannot "no victim"
victim() {
	sed -n "s/^$1=//p" "${ESCAPE_VICTIMS:-victims.list}" | grep .
}

# has_secret FILE
has_secret() {
	grep -qsF "$(victim secret)" "$1"
}

# --- what is made by the submitter -------------------------------------------

MARK=a-stranger-was-here
# The device, and an end that no failure puts off.
SITE="-p volunteer -w $(victim node) -n1 -t 5 --mem=50"

# submit OPTION... - a job that is over when this returns; sets job
submit() {
	# shellcheck disable=SC2086
	job=$(sbatch --parsable --no-requeue $SITE "$@" 2> submit-log)
	[ -n "$job" ] || blocked "$(tail -n 1 submit-log)"
	# sbatch --wait looks every other second.
	for _ in $(seq 450); do
		[ -n "$(squeue -h -j "$job" 2> /dev/null)" ] || return 0
		sleep 0.2
	done
	cannot "job $job does not end"
}

# run_step OPTION... COMMAND... - its failure is for others to judge
run_step() {
	# shellcheck disable=SC2086
	timeout 60 srun -Q $SITE "$@" > step-log 2>&1 < /dev/null || true
}

# script NAME TEXT - an executable script in the working folder
script() {
	printf '#!/bin/bash\n%s\n' "$2" > "$1"
	chmod 755 "$1"
}

# judge_mark FILE - is it new, has it our mark, or not any more what it had?
judge_mark() {
	! grep -qs "$MARK" "$1" || reached "$1 has our words"
	[ -e "$1" ] || blocked "no $1"
	has_secret "$1" || reached "$1 is not what it was"
	blocked "$1 is as it was"
}

# judge_said FILE - what the job wrote for us: has it the secret?
judge_said() {
	! has_secret "$1" || reached "$(victim secret)"
	blocked "no secret: $(tail -n 1 "$1" 2> /dev/null)"
}
