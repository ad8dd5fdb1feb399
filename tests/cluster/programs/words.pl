# SPDX-License-Identifier: GPL-2.0-or-later
# words.pl - perl: a table of words that grows, and a child at the end of a pipe
use strict;
use warnings;
$| = 1;

open(my $child, '|-', 'sort > result') or die $!;
my ($x, %seen) = (1);
for my $s (0 .. 5) {
	select(undef, undef, undef, 0.05) until -e "../gate.$s";
	print "section $s\n";
	for my $i (1 .. 40) {
		for (1 .. 200) {
			$x = ($x * 1103515245 + 12345) % 2147483648;
			$seen{sprintf('%05x', $x % 50000)}++;
		}
		select(undef, undef, undef, 0.05);
	}
	my $sum = 0;
	$sum = ($sum * 33 + $seen{$_} + hex) % 1000003 for sort keys %seen;
	print "$s ", scalar(keys %seen), " $sum\n";
	print $child "$_ $seen{$_}\n" for sort { $b cmp $a } keys %seen;
}
close($child) or die "$! $?";
