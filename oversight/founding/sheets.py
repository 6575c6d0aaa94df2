# SPDX-License-Identifier: AGPL-3.0-or-later
"""What leaves a founding on paper: a sheet for each member, a sheet for each share of the reserve.

A sheet names no commission: its finder learns that it holds a secret, but not which office it opens.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import segno
from jinja2 import Environment
from markupsafe import Markup

from crypto.quorum import check_share
from oversight.founding.plan import PlannedMember
from oversight.members.second_factor import enrolment_uri
from oversight.web.rendering import DOMAIN, LOCALE, TEMPLATES
from portal.kit.files import write_secret_file
from portal.kit.i18n import load_translation
from portal.kit.templating import environment


@dataclass(frozen=True)
class Sheet:
    """What a member takes home from a founding in one sitting: the only place of the passphrase."""

    member: PlannedMember
    passphrase: str = field(repr=False)
    totp_secret: str = field(repr=False)


@dataclass(frozen=True)
class MemberSheet:
    """A member's sheet as it is shown or printed."""

    sheet: Sheet
    fingerprint: str
    address: str

    @property
    def qr_code(self) -> Markup:
        return draw_second_factor(self.sheet.totp_secret, self.sheet.member.username)

    @property
    def secret_groups(self) -> str:
        """The second factor's secret for typing it in."""
        return in_groups(self.sheet.totp_secret)


@dataclass(frozen=True)
class ShareSheet:
    """One share of the reserve as it is shown or printed."""

    mnemonic: str = field(repr=False)
    count: int

    @property
    def number(self) -> int:
        return check_share(self.mnemonic).number

    @property
    def threshold(self) -> int:
        return check_share(self.mnemonic).threshold

    @property
    def set_id(self) -> int:
        """Tells sets of shares apart, should there have been an earlier one."""
        return check_share(self.mnemonic).set_id

    @property
    def words(self) -> list[str]:
        return self.mnemonic.split()


def draw_second_factor(secret: str, username: str) -> Markup:
    """A second factor's secret as an inline drawing: no second request, nothing in a cache."""
    code = segno.make(enrolment_uri(secret, username), error="m", micro=False)
    return Markup(code.svg_inline(border=2, omitsize=True))  # noqa: S704 - made of squares alone


def in_groups(secret: str) -> str:
    """A second factor's secret for typing it in: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def write_member_sheet(folder: Path, sheet: MemberSheet) -> Path:
    """Write a member's sheet as a page to be printed, mode 0600; it replaces an earlier one."""
    member = sheet.sheet.member
    path = folder / f"member-{member.label}.html"
    write_secret_file(path, _page(member.locale, "found_sheet_file.html", kind="member", sheet=sheet).encode())
    return path


def write_share_sheet(folder: Path, sheet: ShareSheet, locale: str) -> Path:
    """Write a share's sheet as a page to be printed, mode 0600; it replaces an earlier one."""
    path = folder / f"reserve-share-{sheet.number}-of-{sheet.count}.html"
    write_secret_file(path, _page(locale, "found_sheet_file.html", kind="share", sheet=sheet).encode())
    return path


def remove_sheets(folder: Path) -> None:
    """Delete the sheets of an earlier attempt, so that no two ceremonies lie mixed in one folder."""
    if not folder.is_dir():
        return
    for path in [*folder.glob("member-*.html"), *folder.glob("reserve-share-*-of-*.html")]:
        path.unlink()


def _page(locale: str, template: str, **context: object) -> str:
    return _environment(locale).get_template(template).render(**context)


@functools.cache
def _environment(locale: str) -> Environment:
    return environment([TEMPLATES], load_translation(LOCALE, DOMAIN, locale))
