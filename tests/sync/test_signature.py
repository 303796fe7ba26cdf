"""The city's signature holds for one line, one domain and one key."""

from __future__ import annotations

import pytest

from gateway.sync.signature import DOWN_DOMAIN, RECEIPT_DOMAIN, CityKey
from tests.records import CITY_KEY, OTHER_KEY, public

LINE = '{"text":"浙"}'
SIGNATURE = CITY_KEY.sign(DOWN_DOMAIN + LINE.encode())


@pytest.mark.parametrize(
    ("key", "domain", "line", "outcome"),
    [
        (CITY_KEY, DOWN_DOMAIN, LINE, True),
        (CITY_KEY, DOWN_DOMAIN, LINE + " ", False),
        (CITY_KEY, RECEIPT_DOMAIN, LINE, False),
        (OTHER_KEY, DOWN_DOMAIN, LINE, False),
    ],
)
def test_signed(key, domain, line, outcome):
    assert CityKey(public(key)).signed(domain, line, SIGNATURE) is outcome


def test_a_key_has_32_bytes():
    with pytest.raises(ValueError, match="32"):
        CityKey(bytes(31))
