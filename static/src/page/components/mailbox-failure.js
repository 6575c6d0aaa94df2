// SPDX-License-Identifier: AGPL-3.0-or-later
// The reason of a failure of the return page in words for the person. The codes are listed in formats/portal-error.js.

import { PortalError } from "../../formats/portal-error.js";
import { t } from "../strings.js";

/**
 * @param {unknown} error the error of a call to the worker
 * @param {boolean} wrote whether the person has written something
 * @param {boolean} [hasOpened] whether the person has opened the mailbox, on the return page
 * @returns {string}
 */
export function mailboxFailureWords(error, wrote, hasOpened = true) {
  const words = reason(error instanceof PortalError ? error.code : "", wrote, hasOpened);
  return wrote ? [words, t("What you wrote is still here.")].join(" ") : words;
}

/**
 * @param {string} code
 * @param {boolean} wrote
 * @param {boolean} hasOpened
 */
function reason(code, wrote, hasOpened) {
  switch (code) {
    case "mailbox-changed":
    case "mailbox-untrue":
      if (!hasOpened) return t("What this site shows of your mailbox contradicts itself. Do not count on this having been sent. Reach the commission in another way.");
      return t("This site shows another mailbox now than when you opened it, or an older one. Do not count on anything having been sent or changed. Open this page in another tab and enter your code. If what you saw before is gone there, and you did not end this mailbox yourself, don’t write here, and reach the commission in another way.");
    case "state-conflict":
      return t("This site says that another device is writing into this mailbox just now. Try again in a minute.");
    case "mailbox-full":
      return t("This site says that many messages are waiting already. Try again when the commission has fetched them.");
    case "damaged":
      return t("This site says that what it holds of this mailbox is damaged. Do not count on anything having been sent or changed. Write to the commission in a new report.");
    case "too-large":
      // What is too large is no message then.
      if (!wrote) return reason("", wrote, hasOpened);
      return t("Your message is too long to be sent at once. Send it in two parts") + ".";
    default:
      return t("This did not work. Do not count on anything having been sent or changed. Try again.");
  }
}
