// SPDX-License-Identifier: AGPL-3.0-or-later
// Today in UTC, like all days of the protocol, as far as a page can know it: a device's clock may be months behind.

export class PageClock {
  #known = "";

  /** @param {string} day YYYY-MM-DD, of something that can't have been made later */
  note(day) {
    if (day > this.#known) this.#known = day;
  }

  /** By the device, but not before what is known. */
  get today() {
    const day = new Date().toISOString().slice(0, 10);
    return day < this.#known ? this.#known : day;
  }

  /** Tomorrow in UTC is today already in the east of the world. */
  get tomorrow() {
    return new Date(Date.parse(this.today) + 86_400_000).toISOString().slice(0, 10);
  }
}
