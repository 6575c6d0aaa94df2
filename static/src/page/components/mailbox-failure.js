// SPDX-License-Identifier: AGPL-3.0-or-later
// The reason of a failure of the return page in words for the person.

import { PortalError } from "../../formats/portal-error.js";
import { t } from "../strings.js";
import { failureWords } from "./failure.js";

/**
 * @param {unknown} error the error of a call to the worker
 * @returns {string}
 */
export function mailboxFailureWords(error) {
  switch (error instanceof PortalError ? error.code : "") {
    case "mailbox-changed":
    case "mailbox-untrue":
      return t("This site shows another mailbox now than when you opened it, or an older one. Do not count on anything having been sent or changed. What you wrote is still here. Open this page in another tab and enter your code. If what you saw before is gone there, and you did not end this mailbox yourself, don’t write here, and reach the commission in another way.");
    case "state-conflict":
      return t("This mailbox is open on another device, which is writing just now. What you wrote is still here. Try again in a minute.");
    case "mailbox-full":
      return t("Many messages are waiting already. Try again when the commission has fetched them.");
    case "damaged":
      return t("This site says that what it holds of this mailbox is damaged. Do not count on anything having been sent or changed. What you wrote is still here: copy it, and send it in a new report.");
    default:
      return failureWords(error);
  }
}
