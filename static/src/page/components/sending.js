// SPDX-License-Identifier: AGPL-3.0-or-later
// The panel that shows the progress of sending: two bars that never go back, announcements to screen readers at most
// every ten seconds, and a calm notice when the network is gone.

import { sizeWords, t, tn } from "../strings.js";
import { part } from "./element.js";
import { troubleNotice } from "./trouble.js";

const ANNOUNCE_EVERY_MS = 10_000;
// An earlier estimate of the remaining time is unstable.
const GUESS_AFTER_MS = 5_000;

export class SendingPanel {
  #panel;
  #now;
  #spokeAt = -Infinity;
  #sendingSince = 0;
  /** Parts are sent while the rest is being locked. */
  #isLocking = false;

  /**
   * @param {HTMLElement} panel
   * @param {() => number} [now] milliseconds
   */
  constructor(panel, now = () => performance.now()) {
    this.#panel = panel;
    this.#now = now;
  }

  /**
   * Reset bars and words, for the first attempt and for a new one after a failure.
   *
   * @param {boolean} [isAgain] within an attempt, because the portal has lost what was sent
   */
  begin(isAgain = false) {
    for (const name of ["[data-seal]", "[data-send-bar]"]) this.#bar(name).value = 0;
    this.#words("[data-seal-value]", "");
    this.#words("[data-send-value]", "");
    this.#sendingSince = 0;
    this.#isLocking = false;
    this.#spokeAt = -Infinity;
    part(this.#panel, "[data-again]").hidden = !isAgain;
    this.onTrouble(null);
    this.#failed(false);
  }

  /**
   * @param {number} done
   * @param {number} total
   * @param {number} [file]
   * @param {number} [files]
   */
  sealed(done, total, file = 0, files = 0) {
    this.#isLocking = done < total;
    this.#advance("[data-seal]", done, total);
    // Translators: of the files, the one that is being locked now: "3 of 7".
    const words = files > 1 ? t("file {file} of {files}", { file, files }) : percent(done, total);
    this.#words("[data-seal-value]", words);
    this.#announce(() => t("Locking: {words}", { words }));
  }

  /**
   * @param {number} done
   * @param {number} total
   */
  sent(done, total) {
    if (!this.#isLocking) {
      this.#advance("[data-seal]", 1, 1);
      this.#words("[data-seal-value]", t("done"));
    }
    this.#advance("[data-send-bar]", done, total);
    const words = [t("{done} of {total}", { done: sizeWords(done), total: sizeWords(total) })];
    const minutes = this.#minutesLeft(done, total);
    if (minutes > 0) words.push(tn("about {count} minute", "about {count} minutes", minutes));
    this.#words("[data-send-value]", words.join(" · "));
    this.#announce(() => t("Sending: {words}", { words: words.join(", ") }));
  }

  /** Why it takes longer. */
  get onTrouble() {
    const notice = troubleNotice(
      this.#panel,
      t("The connection is gone. Nothing is lost: what was sent is kept, and it goes on by itself when the network is back. Keep this page open."),
      t("The site can’t take it at the moment. Nothing is lost: we try again by ourselves. Keep this page open."),
    );
    return (/** @type {Parameters<typeof notice>} */ ...[kind, share]) => {
      part(this.#panel, "[data-full]").hidden = kind !== "full";
      notice(kind, share);
    };
  }

  /** Show that the sending failed and will not continue by itself. */
  fail() {
    part(this.#panel, "[data-again]").hidden = true;
    this.onTrouble(null);
    this.#failed(true);
  }

  /** @param {boolean} failed */
  #failed(failed) {
    part(this.#panel, "[data-retry-buttons]").hidden = !failed;
    part(this.#panel, "[data-keep-open]").hidden = failed;
  }

  /**
   * @param {string} name
   * @param {number} done
   * @param {number} total
   */
  #advance(name, done, total) {
    const bar = this.#bar(name);
    bar.value = Math.max(bar.value, total > 0 ? done / total : 0);
  }

  /**
   * @param {number} done
   * @param {number} total
   */
  #minutesLeft(done, total) {
    this.#sendingSince ||= this.#now();
    const passed = this.#now() - this.#sendingSince;
    if (passed < GUESS_AFTER_MS || done === 0 || done >= total) return 0;
    return Math.ceil(((passed / done) * (total - done)) / 60_000);
  }

  /** @param {() => string} words */
  #announce(words) {
    if (this.#now() - this.#spokeAt < ANNOUNCE_EVERY_MS) return;
    this.#spokeAt = this.#now();
    this.#words("[data-announce]", words());
  }

  /**
   * @param {string} name
   * @param {string} words
   */
  #words(name, words) {
    part(this.#panel, name).textContent = words;
  }

  /** @param {string} name */
  #bar(name) {
    return /** @type {HTMLProgressElement} */ (part(this.#panel, name));
  }
}

/**
 * @param {number} done
 * @param {number} total
 */
function percent(done, total) {
  return done >= total ? t("done") : t("{number} %", { number: Math.floor((100 * done) / total) });
}
