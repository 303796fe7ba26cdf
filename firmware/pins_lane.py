"""Pin numbers of the board 'lane', and the level that means yes if not 1. Made from hw/boards by `python -m hw.pins`."""

BUS_TX = 0
BUS_RX = 1
CAMERA_TX = 4
CAMERA_RX = 5
FRAM_SDA = 8
FRAM_SCL = 9
LOOP_ARRIVAL = 10
LOOP_SAFETY = 11
HELP = 12
HELP_YES = 0
FIRE = 13
MAINS = 14
MAINS_YES = 0
ARM_OPEN = 15
ARM_OPEN_YES = 0
ARM_CLOSED = 16
ARM_CLOSED_YES = 0
ARM_RAISE = 17
ARM_LOWER = 18
LED = 25
