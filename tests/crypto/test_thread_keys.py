# SPDX-License-Identifier: AGPL-3.0-or-later
"""The keys of a thread: a generation, a recipient and a message key, which is not printed."""

import pytest

from crypto.age import PqIdentity, X25519Identity
from crypto.document import Fields
from crypto.errors import CryptoError
from crypto.thread_keys import GENERATION_MAX, ThreadKeys, read_thread_keys

KEYS = ThreadKeys(0, PqIdentity.from_seed(b"t" * 32).recipient(), b"m" * 32)


@pytest.mark.parametrize("generation", [0, 1, GENERATION_MAX])
def test_keys_are_read_back_as_they_were_written(generation):
    keys = ThreadKeys(generation, KEYS.recipient, KEYS.message_mac)
    assert read_thread_keys(Fields(keys.to_value(), "keys")) == keys


@pytest.mark.parametrize(
    "changes",
    [
        {"generation": -1},
        {"generation": 1001},
        {"generation": "0"},
        {"generation": True},
        {"recipient": str(X25519Identity(b"w" * 32).recipient())},
        {"recipient": ""},
        {"message_mac": "00" * 31},
        {"message_mac": "AB" * 32},
        {"extra": 1},
    ],
)
def test_malformed_keys_are_refused(changes):
    with pytest.raises(CryptoError):
        read_thread_keys(Fields({**KEYS.to_value(), **changes}, "keys"))


@pytest.mark.parametrize("name", ["generation", "recipient", "message_mac"])
def test_keys_are_complete(name):
    with pytest.raises(CryptoError):
        read_thread_keys(Fields({key: value for key, value in KEYS.to_value().items() if key != name}, "keys"))


def test_the_message_key_is_not_printed():
    assert "mmmm" not in repr(KEYS)
    assert KEYS.message_mac.hex() not in repr(KEYS)
