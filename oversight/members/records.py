# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows about members and their sessions. None of them opens anything without a member's secret."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import MemberLabel
from portal.kit.columns import (
    BytesField,
    DayField,
    LargeNumberField,
    MomentField,
    NamesField,
    NumberField,
    ShortTextField,
    text_column,
)


class MemberRecord(Model):
    """A member's account. The keyring opens with the passphrase only (docs/protocol.md §11)."""

    id = fields.IntField(primary_key=True)
    label: fields.Field[MemberLabel] = text_column(31, unique=True)
    name = ShortTextField(max_length=200)
    username = ShortTextField(max_length=64, unique=True)
    key_name = ShortTextField(max_length=64)
    """Name of the member's keys in the charter, ``<slug>/<label>``."""
    roles: fields.Field[list[str]] = NamesField()
    keyring = BytesField()
    second_factor = BytesField()
    """The secret of the second factor, sealed under the office's own key for that."""
    last_step = LargeNumberField(db_default=0)
    """The time step of the last code that was taken: a code is taken once."""
    locale = ShortTextField(max_length=8)

    class Meta:
        table = "member"


class SessionRecord(Model):
    """A session. The row holds neither its id nor the key: both exist in the member's cookie alone."""

    id_hash = ShortTextField(max_length=64, primary_key=True)
    member: fields.ForeignKeyRelation[MemberRecord] = fields.ForeignKeyField(
        "oversight.MemberRecord", related_name="sessions"
    )
    created = MomentField()
    last_seen = MomentField(db_index=True)
    keyring = BytesField()

    class Meta:
        table = "session"


class FailedLoginRecord(Model):
    """How often a login failed for a username, known or not, and when the next attempt is looked at."""

    username_hash = ShortTextField(max_length=64, primary_key=True)
    failures = NumberField()
    retry_at = MomentField(db_index=True)

    class Meta:
        table = "failed_login"


class KnownBrowserRecord(Model):
    """A browser in which a member logged in before, by the hash of what its cookie holds. It opens nothing."""

    id = fields.BigIntField(primary_key=True)
    token_hash = ShortTextField(max_length=64)
    member: fields.ForeignKeyRelation[MemberRecord] = fields.ForeignKeyField(
        "oversight.MemberRecord", related_name="browsers"
    )
    last_day = DayField(db_index=True)
    failures = NumberField()
    """How often in a row a login failed in this browser, and when the next attempt is looked at."""
    retry_at = MomentField()

    class Meta:
        table = "known_browser"
        unique_together = (("token_hash", "member"),)
