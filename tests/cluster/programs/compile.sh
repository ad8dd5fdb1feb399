#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compile.sh - gcc compiles a large file, again and again
. ../programs/section.sh
write() { # SEED
	awk -v seed="$1" 'BEGIN {
		for (i = 0; i < 40; i++) {
			printf "unsigned f%d(unsigned x)\n{\n", i
			for (k = 0; k < 12; k++) {
				seed = (seed * 1103 + 12345) % 65536
				printf "\tif (x %% %d == %d)\n" \
					"\t\tx = x * %du + (x >> %d);\n" \
					"\telse\n\t\tx ^= %du;\n", \
					k + 3, seed % (k + 3), seed * 2 + 1, \
					seed % 13 + 1, seed
			}
			print "\treturn x;\n}"
		}
		print "#include <stdio.h>\nint main(void)\n{\n\tunsigned x = 1;"
		for (i = 0; i < 40; i++)
			printf "\tx = f%d(x);\n", i
		print "\tprintf(\"%u\\n\", x);\n\treturn 0;\n}"
	}'
}
for s in $SECTIONS; do
	section "$s"
	write "$s" > "part$s.c"
	gcc -O2 -o "part$s" "part$s.c" || exit
	"./part$s"
done
