"""What a simulated board's chip and its surroundings share: one small file of bytes, the same for both interpreters.

Owns the places in that file. The surroundings write input levels, echo times and fields; the chip writes output levels and what
the simulator wants to know of the program. No imports: the node's interpreter reads this file too.
"""

BYTES = 512
INPUT_AT = 0  # one byte for each GPIO: its level as the chip sees it
OUTPUT_AT = 32  # one byte for each GPIO
ECHO_AT = 64  # u16 for each GPIO: microseconds of the pulse there, 0 for none
FIELD_AT = 128  # three i16 for each of 16 magnetometers
TOLD_AT = 256  # TOLD_FORM: pending, highest number sent, commands opened, turns, most heap used
TOLD_FORM = "<IIIII"
TOLD_BYTES = 20
PULL_UP = 1  # an input that nobody drives
