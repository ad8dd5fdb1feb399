#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rows.sh - run the rows of features.py on the controller, all at once
#
# usage: rows.sh FOLDER NODE NODE2
#	Each FOLDER/*/row, in a shell of its own and below its own folder:
#	what it says is in "output", and "finished" is there when it has ended.
#	"running" is there, at the latest, when a slow row only waits.
#	NODE is where jobs go, NODE2 where one finds a node to itself.
#
# All in one queue: rows wait for one look at it, not for one each.
set -u

as_alice=()
if [ "$(id -u)" = 0 ]; then
	as_alice=(setpriv --reuid alice --regid alice --init-groups)
fi

# --- what rows are written in ------------------------------------------------

# batch [OPTION...] - sbatch; the number is $job
batch() {
	job=$("${as_alice[@]}" sbatch --parsable -p volunteer -w "$NODE" -N1 \
		--mem=20 -s -o out "$@")
	echo "$job" >> ids
}

# step [OPTION...] PROGRAM... - srun
step() {
	srun -p volunteer -w "$NODE" -N1 --mem=20 -s "$@"
}

# The same, for one that says why it does not begin: slurmstepd's words and
# srun's come in any order.
failing() {
	step "$@" 2>&1 | sort
	echo "status ${PIPESTATUS[0]}"
}

# As step in the background, so that $! is srun.
exec_step() {
	exec srun -p volunteer -w "$NODE" -N1 --mem=20 -s "$@"
}

# until_there FILE - wait for what a job makes
until_there() {
	local tries=1500
	until [ -e "$1" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || {
			echo "no $1 within 150 s"
			return 1
		}
		sleep 0.1
	done
}

started() {
	until_there running
}

# A look at the queue that began after this call.
look() {
	local first now
	read -r first _ < ../queue
	until read -r now _ < ../queue && [ "$now" -ge $((first + 2)) ]; do
		sleep 0.1
	done
}

# ended [JOB] - wait, say how Slurm says that it ended
ended() {
	local id=${1:-$job} tries=1500
	look
	while grep -q "^$id " ../queue; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || break
		sleep 0.1
	done
	scontrol -o show job "$id" |
		grep -oE '\b(ArrayTaskId|JobState|ExitCode|Restarts)=\S+' |
		paste -sd ' ' | sed 's/Restarts=0 //g'
}

# --- the runner --------------------------------------------------------------

watch_queue() {
	local n=0
	while :; do
		n=$((n + 1))
		{
			echo "$n"
			# %F: of all tasks of an array.
			squeue --noheader --format '%F '
		} > queue.new
		mv queue.new queue
		sleep 0.25
	done
}

run_row() {
	local user=() row=$1 self=$2
	cd "$row" || exit
	[ -e as-root ] || user=(setpriv --reuid alice --regid alice
		--init-groups)
	# What a user's shell would have; nothing of docker's.
	"${user[@]}" env -i HOME=/campaign/alice USER=alice LOGNAME=alice \
		SHELL=/bin/bash PATH="$PATH" LANG=C.UTF-8 NODE="$NODE" \
		NODE2="$NODE2" TOOLS="$TOOLS" \
		timeout 250 bash "$self" --row > output 2>&1 < /dev/null
	: > finished
}

if [ "${1:-}" = --row ]; then
	# shellcheck source=/dev/null
	. ./row
	exit
fi

self=$(realpath "$0")
NODE=$2 NODE2=$3 TOOLS=$(dirname "$self")
export NODE NODE2 TOOLS
cd "$1" || exit
echo 0 > queue
watch_queue &
watcher=$!
rows=()
for row in */; do
	(run_row "$row" "$self") &
	rows+=($!)
done
wait "${rows[@]}"
kill "$watcher"
