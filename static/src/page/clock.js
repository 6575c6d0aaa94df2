// SPDX-License-Identifier: AGPL-3.0-or-later
// Today in UTC, like all days of the protocol, as far as a page can know it: a device's clock may be months behind.

export class PageClock {
  #known = "";
  /** The portal's day, if it is another. It may lie: nothing that counts is decided by it. */
  portal = "";

  /** @param {string} day YYYY-MM-DD, of something that can't have been made later */
  note(day) {
    if (day > this.#known) this.#known = day;
  }

  /** By the device, but not before what is known. */
  get today() {
    const day = new Date().toISOString().slice(0, 10);
    return day < this.#known ? this.#known : day;
  }

  /** Today, and the portal's day if it is another. */
  get days() {
    return this.portal ? [this.today, this.portal] : [this.today];
  }

  /** By whichever clock is ahead; tomorrow in UTC is today already in the east of the world. */
  get tomorrow() {
    const day = this.portal > this.today ? this.portal : this.today;
    return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
  }
}
