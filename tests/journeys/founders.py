# SPDX-License-Identifier: AGPL-3.0-or-later
"""People who found a commission, each with a browser of their own: what they do there, and how much there is to do."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyotp
from playwright.sync_api import Locator, Page, expect

SHARE_WORDS = 33


@dataclass
class Founder:
    """``reloads`` every page that they come to. ``clicks`` and ``fields`` count what they had to press and to type."""

    name: str
    label: str
    page: Page
    reloads: bool = False
    clicks: int = 0
    fields: int = 0
    passphrase: str = field(default="", repr=False)
    totp_secret: str = field(default="", repr=False)
    share: list[str] = field(default_factory=list, repr=False)

    def open(self, address: str) -> None:
        """Follow a link, or type an address of the office."""
        self.clicks += 1
        self.page.goto(address)
        self._come_to()

    def press(self, selector: str) -> None:
        """Press a button or a link, and be on the page that answers."""
        self.clicks += 1
        with self.page.expect_navigation():
            self._one(selector).click()
        self._come_to()

    def tick(self, selector: str) -> None:
        self.clicks += 1
        self._one(selector).check()

    def unfold(self, selector: str) -> None:
        self.clicks += 1
        self._one(f"{selector} > summary").click()

    def type(self, name: str, text: str) -> None:
        self.fields += 1
        self._one(f"main #{name}").fill(text)

    def send(self, action: str) -> None:
        """Press the button of the form that goes to this address; ``$`` matches its end."""
        self.press(f"main form[action='{action}'] button")

    def make_keys(self) -> None:
        """Write the words down, scan the second factor, and type both back."""
        self.passphrase = self._text("main .to-copy >> nth=0")
        self.totp_secret = self._text("main .to-copy >> nth=1").replace(" ", "")
        self.type("new", self.passphrase)
        self.type("again", self.passphrase)
        self.type("code", pyotp.TOTP(self.totp_secret).now())
        self.press("main form button.button--main")
        expect(self.page).to_have_url(re.compile(r"/found\?joined$"))

    def look_at_share(self) -> None:
        """Have the share shown, and copy it."""
        self.open_from_list("/found/share")
        self.send("/found/share")
        self.share = [word.strip() for word in self.page.locator(".sheet__word").all_text_contents()]
        assert len(self.share) == SHARE_WORDS

    def type_share(self, words: list[str]) -> None:
        """Say that it is on paper, if that was not said yet, and type it back."""
        if self.page.locator("#share").count() == 0:
            self.press("main a.button[href='/found/share']")
        self.type("share", " ".join(words))
        self.send("/found/share/back")

    def read_out(self) -> str:
        """The fingerprint of their own keys, as their own screen shows it."""
        self.open_from_list("")
        return self._text("main .facts .fingerprint")

    def compare(self, others: "list[Founder]", portal: str) -> None:
        """Tick whoever's fingerprint is the one that they read out, and the portal's; fail when one is not."""
        self.open_from_list("/found/draft")
        for other in others:
            assert self.fingerprint_of(other.label) == other.read_out()
            self.tick(f"[name=compared][value='{other.label}']")
        assert self.fingerprint_of(".portal") == portal
        self.tick("[name=compared][value='.portal']")

    def fingerprint_of(self, label: str) -> str:
        """Whose keys the draft names, as this screen shows them."""
        return self._text(f"li:has([name=compared][value='{label}']) .fingerprint")

    def open_from_list(self, href: str) -> None:
        """The founding's first page as it is now, then one of its tasks."""
        self.press(".office-bar a[href='/found']")
        if href:
            self.press(f".task-list a[href='{href}']")

    def log_in(self, office: str) -> None:
        """With passphrase and the next code of the second factor: each is taken once."""
        self.open(f"{office}/login")
        self.type("username", self.label)
        self.type("passphrase", self.passphrase)
        self.type("code", pyotp.TOTP(self.totp_secret).at(datetime.now(UTC), counter_offset=1))
        self.press("main form button.button--main")
        expect(self.page).to_have_url(re.compile("/queue$"))

    def lock(self) -> None:
        self.press("form[action='/lock'] button")
        expect(self.page).to_have_url(re.compile("/login"))

    def sees(self, text: str) -> None:
        expect(self.page.locator("main")).to_contain_text(text)

    def _come_to(self) -> None:
        if self.reloads:
            self.page.reload()
        expect(self.page.locator("main")).to_be_visible()

    def _one(self, selector: str) -> Locator:
        return self.page.locator(selector).first

    def _text(self, selector: str) -> str:
        return self._one(selector).inner_text().strip()
