# SPDX-License-Identifier: GPL-2.0-or-later
# volunteer.bash - what bash offers after "volunteer", on TAB
#
# Needs nothing of the package bash-completion.  Keys and values of "set" come
# from the discoveryd that runs, or from a list that may be older than it.
# shellcheck shell=bash

_volunteer_settings()
{
	volunteer set 2>/dev/null || cat <<-'END'
		share.cpus =
		share.memory =
		share.scratch =
		share.scratch_dir =
		share.gpus =
		owner.idle_after =
		owner.hours =
		owner.on_battery =
		owner.max_load =
		owner.max_temperature =
		owner.reaction =
		owner.parked_max =
		owner.interactive_max =
		owner.max_pressure =
		owner.checkpoint =
		owner.checkpoint_time =
		owner.checkpoint_every =
		owner.checkpoint_grace =
		owner.unknown_is_present =
		jobs.users =
		jobs.accounts =
	END
}

# Keys with their section only when a section is being typed.
_volunteer_keys()
{
	local key rest

	while read -r key rest; do
		[[ $1 == *.* ]] || key=${key#*.}
		printf '%s=\n' "$key"
	done < <(_volunteer_settings)
}

_volunteer_values()
{
	local key rest

	case ${1#*.} in
	cpus | memory | scratch | gpus) echo all none 25% 50% 75% ;;
	idle_after) echo 1m 5m 15m 1h ;;
	parked_max | interactive_max) echo 5m 10m 30m 2h ;;
	on_battery | checkpoint) echo yes no ;;
	checkpoint_time) echo 10s 30s 1m 5m ;;
	checkpoint_every) echo 1m 10m 1h ;;
	checkpoint_grace) echo 0 5s 10s 30s ;;
	reaction) echo freeze throttle evict ;;
	hours) echo always never ;;
	users | accounts) compgen -u ;;
	*)
		while read -r key rest; do
			[[ ${key#*.} != "${1#*.}" ]] || echo "${rest#= }"
		done < <(_volunteer_settings)
		;;
	esac
}

_volunteer_nodes()
{
	sinfo --noheader --Node --format=%N --partition=volunteer 2>/dev/null
}

# Jobs that wait or run and nodes of devices, from Slurm.
_volunteer_subjects()
{
	squeue --noheader --array --format=%i 2>/dev/null
	_volunteer_nodes
}

# What "volunteer cluster" knows; behind the name, any command.
_volunteer_cluster()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != cluster ]] || break
	done
	case $((COMP_CWORD - i)) in
	1) volunteer cluster 2>/dev/null ;;
	2) compgen -c -- "$1" ;;
	esac
}

# Names and codes of those that may be approved.
_volunteer_waiting()
{
	local name code rest

	while read -r name code rest; do
		[[ $code != [0-9][0-9][0-9][0-9][0-9][0-9] ]] ||
			printf '%s\n' "$name" "$code"
	done < <(volunteer devices --pending 2>/dev/null)
}

# Behind "checkpoints": what it does, then the jobs that have images.
_volunteer_images()
{
	local deed='' i job rest

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		list | verify | prune) deed=${COMP_WORDS[i]} ;;
		esac
	done
	case $deed in
	'') echo list verify prune ;;
	verify | prune)
		while read -r job rest; do
			[[ $job == *[!0-9]* ]] || echo "$job"
		done < <(volunteer checkpoints 2>/dev/null) | sort -un
		;;
	esac
}

_volunteer_options()
{
	case $1 in
	status | why | pause | resume | set | version | approve | forget | \
		rename | move-owner)
		echo --json --socket= --help ;;
	log) echo -n --json --socket= --help ;;
	devices) echo --seen --forecast --machines --pending --revoked --json --socket= \
		--help ;;
	checkpoints) echo --older= --json --socket= --help ;;
	rotate-key) echo --others --json --socket= --help ;;
	join) echo --controller= --json --socket= --help ;;
	token) echo --uses= --ttl= --json --socket= --help ;;
	tokens) echo --revoke= --json --socket= --help ;;
	explain) echo --all --json --dir= --socket= --help ;;
	cluster) echo --help ;;
	doctor) echo --json --partition= --help ;;
	sandbox) echo --show --json --socket= --help ;;
	select) echo --enable --disable --status --json --help ;;
	'') echo --help --version ;;
	esac
}

_volunteer_words()
{
	local command=$1 current=$2

	if [[ $current == -* ]]; then
		_volunteer_options "$command"
		return
	fi
	case $command in
	'') echo status why pause resume set log sandbox join move-owner \
		devices token tokens approve forget rename rotate-key \
		checkpoints cluster explain doctor select version ;;
	checkpoints) _volunteer_images ;;
	cluster) _volunteer_cluster "$current" ;;
	explain) _volunteer_subjects ;;
	approve) _volunteer_waiting ;;
	forget) _volunteer_nodes; _volunteer_waiting ;;
	rename) _volunteer_nodes ;;
	move-owner) compgen -u ;;
	pause) echo 15m 30m 1h 2h 4h 8h 1d ;;
	set) _volunteer_keys "$current" ;;
	esac
}

# Those words of stdin that begin with $1.  Not "compgen -W": that would run
# a $(command) in somebody's setting.
_volunteer_match()
{
	local word words

	read -rd '' -a words
	for word in "${words[@]}"; do
		[[ $word != "$1"* ]] || COMPREPLY+=("$(printf %q "$word")")
	done
}

_volunteer()
{
	local current=${COMP_WORDS[COMP_CWORD]} command='' key='' i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || {
			command=${COMP_WORDS[i]}
			break
		}
	done
	# bash takes KEY=VALUE for three words.
	if [[ $current == = ]]; then
		key=${COMP_WORDS[COMP_CWORD - 1]}
		current=
	elif [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		key=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	if [[ $key == --socket || $key == --dir ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	elif [[ $key == -* || ${COMP_WORDS[COMP_CWORD - 1]} == -n ]]; then
		return
	elif [[ $key ]]; then
		_volunteer_match "$current" < <(_volunteer_values "$key")
	else
		_volunteer_match "$current" < <(
			_volunteer_words "$command" "$current")
	fi
	# What ends in "=" goes on.
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
	return 0
}

complete -F _volunteer volunteer
