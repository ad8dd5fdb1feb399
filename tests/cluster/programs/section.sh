# SPDX-License-Identifier: GPL-2.0-or-later
# section.sh - a part of a program's work, which begins when the test says so
#
# All of these programs work in as many sections.  Each prints that it has begun
# one, and the owner comes in the midst of it.
SECTIONS="0 1 2 3 4 5"

section() {
	until [ -e "../gate.$1" ]; do
		sleep 0.05
	done
	echo "section $1"
}
