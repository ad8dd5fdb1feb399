# SPDX-License-Identifier: GPL-2.0-or-later
# vbatch.bash - what bash offers after "vbatch", on TAB: the options of its own,
# names of clusters, else files
# shellcheck shell=bash

_vbatch()
{
	local current=${COMP_WORDS[COMP_CWORD]} words='' word
	local before=${COMP_WORDS[COMP_CWORD - 1]}

	# bash takes --cluster=NAME for three words.
	if [[ $current == = ]]; then
		current=
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	if [[ $before == --cluster ]]; then
		words=$(volunteer cluster 2>/dev/null)
	elif [[ $current == -* ]]; then
		words="--matrix --matrix-zip --matrix-exclude --matrix-limit
			--matrix-first --matrix-list --help --version"
		[[ $COMP_CWORD -gt 1 ]] || words="--cluster $words"
	fi
	for word in $words; do
		[[ $word != "$current"* ]] || COMPREPLY+=("$word")
	done
	return 0
}

complete -o default -F _vbatch vbatch
