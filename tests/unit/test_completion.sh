#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_completion.sh - what bash offers after "volunteer"; skipped without bash 4
# shellcheck disable=SC2034 # the variables are read by what is sourced
script=${srcdir:-$(dirname "$0")}/../../etc/completion/volunteer.bash
[[ ${BASH_VERSINFO[0]} -ge 4 ]] || exit 77
bash -n "$script" || exit 1
# shellcheck source=../../etc/completion/volunteer.bash
. "$script"

status=0
daemon=up

# Stands for the program and the discoveryd behind it.
volunteer()
{
	if [[ $* == "devices --pending" ]]; then
		echo "NAME  CODE    ADDRESS"
		echo "lab7  034326  10.0.0.7"
		echo "lab8          10.0.0.8"
		return
	fi
	if [[ $* == cluster ]]; then
		printf '%s\n' lab volunteer
		return
	fi
	if [[ $* == checkpoints ]]; then
		echo "JOB  IMAGE  USER"
		echo "41   1      ann"
		echo "41   2      ann"
		echo "7    3      bob"
		echo "3M of 100G are used"
		return
	fi
	[[ $1 == set && $daemon == up ]] || return 1
	echo "owner.idle_after = 5m"
	echo "owner.new_key    = 42"
	echo "owner.bad        = \$(echo)*"
	echo "jobs.users       = "
}

squeue()
{
	printf '%s\n' 37_1 37_2 41
}

sinfo()
{
	printf '%s\n' desk1 'desk$(echo)'
}

# expect "OFFERS" WORD... - the last word is being typed
expect()
{
	local want=$1 got
	shift

	COMP_WORDS=(volunteer "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_volunteer
	got=${COMPREPLY[*]}
	[[ $got == "$want" ]] && return
	echo "volunteer $*: offers '$got' instead of '$want'"
	status=1
}

[[ $(complete -p volunteer) == *"-F _volunteer "* ]] || status=1

expect "status why pause resume set log sandbox join move-owner devices \
token tokens approve forget rename rotate-key \
checkpoints cluster explain doctor select version" ""
expect "set select" se
expect "status set sandbox select" s
expect "--help --version" --
expect "" nonsense ""
expect "--json --socket= --help" status -
expect "--seen --socket=" devices --s
expect "--forecast" devices --f
expect "--show --json --socket= --help" sandbox -
expect "lab7 034326" approve ""
expect "lab7" approve l
expect "034326" forget 0
expect "desk1 desk\\$\\(echo\\)" rename d
expect "lab volunteer" cluster ""
expect "volunteer" cluster vol
expect "expect" cluster lab expect
expect "" cluster lab echo ""
expect "--pending" devices --p
expect "list verify prune" checkpoints ""
expect "7 41" checkpoints verify ""
expect "41" checkpoints prune 4
expect "" checkpoints list ""
expect "--older=" checkpoints prune --o
expect "--uses=" token --u
expect "--revoke=" tokens --r
expect "--all --json --dir= --socket= --help" explain -
expect "37_1 37_2" explain 37
expect 'desk1 desk\$\(echo\)' explain d
expect "--partition=" doctor --p
expect "--enable" select --e
expect "15m 1h 1d" pause 1
expect "--socket=" --json pause --s
expect "" status ""
expect "" log -n ""
expect "idle_after= new_key= bad= users=" set ""
expect "idle_after=" set idle
expect "owner.idle_after= owner.new_key= owner.bad=" set owner.
expect "1m 5m 15m 1h" set idle_after =
expect "1m 15m 1h" set owner.idle_after = 1
expect "42" set new_key =
expect "" set nonsense =
expect '\$\(echo\)\*' set bad =
expect "" doctor --partition = ""

bash -n "${script%/*}/vbatch.bash" || exit 1
# shellcheck source=../../etc/completion/vbatch.bash
. "${script%/*}/vbatch.bash"

# expect_vbatch "OFFERS" WORD... - likewise
expect_vbatch()
{
	local want=$1
	shift

	COMP_WORDS=(vbatch "$@")
	COMP_CWORD=$#
	_vbatch
	[[ ${COMPREPLY[*]} == "$want" ]] && return
	echo "vbatch $*: offers '${COMPREPLY[*]}' instead of '$want'"
	status=1
}

[[ $(complete -p vbatch) == *"-F _vbatch "* ]] || status=1
expect_vbatch "--cluster" --c
expect_vbatch "--matrix-zip" --cluster lab --matrix-z
expect_vbatch "" -p volunteer --c
expect_vbatch "lab volunteer" --cluster ""
expect_vbatch "volunteer" --cluster = v
expect_vbatch "lab volunteer" --cluster =
expect_vbatch "" ""

cd "$(dirname "$script")" || exit 1
expect "volunteer.bash" status --socket = vol
daemon=down
expect "idle_after= interactive_max=" set i
expect "freeze throttle evict" set reaction =
expect "yes" set on_battery = y
expect "root" set users = roo
exit $status
