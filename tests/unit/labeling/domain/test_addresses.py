"""Which addresses are the open internet's: a table."""

from __future__ import annotations

import pytest

from labeling.domain.addresses import is_public

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "3ffe::1"]

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1",
    "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "fec0::1", "feff::1", "3fff::1", "3fff:fff::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "", "example.org", "127.1", "1.2.3.4.5",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internets_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_other_is(address):
    assert not is_public(address)
