#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# frames.sh - POV-Ray renders frames of an animation, with two threads
. ../programs/section.sh
W=280 H=210
cat > scene.pov <<'END'
#version 3.7;
global_settings { assumed_gamma 1.0 }
camera { location <0, 3, -6> look_at <0, 0.6, 0> }
light_source { <4, 8, -6>, 1 area_light <2, 0, 0>, <0, 0, 2>, 3, 3 }
plane { y, 0 pigment { checker rgb 0.9 rgb 0.2 }
	finish { reflection 0.3 } }
#for (i, 0, 4)
	sphere { <i - 2, 0.8 + 0.3 * sin(i + clock), cos(i * 2 + clock)>, 0.6
		pigment { rgbf <1, 0.9, 0.8 - i / 8, 0.7> }
		finish { reflection 0.2 phong 1 } interior { ior 1.4 } }
#end
END
for s in $SECTIONS; do
	section "$s"
	povray +Iscene.pov "+O$TMPDIR/frame.ppm" +FP "+W$W" "+H$H" +WT2 -A -D \
		-GA "+K0.$s" > /dev/null 2> "$TMPDIR/said" ||
		{ cat "$TMPDIR/said"; exit 1; }
	# Its head tells the time.
	tail -c $((W * H * 3)) "$TMPDIR/frame.ppm" > "frame$s.rgb"
	md5sum "frame$s.rgb"
done
