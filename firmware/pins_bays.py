"""Pin numbers of the board 'bays', and the level that means yes if not 1. Made from hw/boards by `python -m hw.pins`."""

BUS_TX = 0
BUS_RX = 1
FIELD_SDA = 26
FIELD_SCL = 27
LED = 25
TRIGGERS = (2, 3, 4, 5, 6, 7, 8, 9)
ECHOS = (10, 11, 12, 13, 14, 15, 16, 17)
