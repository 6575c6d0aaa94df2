// SPDX-License-Identifier: AGPL-3.0-or-later
// The reason why a report was not sent in words for the person. The codes are listed in formats/portal-error.js; the
// return page has its own in mailbox-failure.js. None says that nothing was sent: an earlier try may have arrived.
// Whatever failed after one was sent, that is said.

import { PortalError } from "../../formats/portal-error.js";
import { t } from "../strings.js";

/**
 * @param {unknown} error the error of a call to the worker
 * @param {{ name: string }[]} files those of the report
 * @param {boolean} wasSent whether a try was sent that may have arrived
 * @returns {string}
 */
export function failureWords(error, files, wasSent) {
  const code = error instanceof PortalError ? error.code : "";
  const words = reason(error, files);
  if (!wasSent || code === "acknowledgement-invalid") return words;
  return [words, t("What you sent before may have arrived as it was. Keep your code.")].join(" ");
}

/**
 * @param {unknown} error
 * @param {{ name: string }[]} files
 */
function reason(error, files) {
  switch (error instanceof PortalError ? error.code : "") {
    case "charter-expired":
      return t("The commission’s charter is not in force today. Keep what you wrote, load this page again later and try once more.");
    case "clock-differs":
      return t("The clock of your device and the one of this site are days apart, so it is not sure who may read this today. Set your clock right and try again. If it is right, try again later.");
    case "charter-unknown":
    case "charter-invalid":
      return t("What this site gives as the commission’s charter can’t be used. What you wrote is still here. Try again, from another network if you can.");
    case "charter-replaced":
      return t("The commission has a newer charter than this page.");
    case "no-recipient":
      return t("Nobody would be left who can read it. Go back and leave at least one person.");
    case "too-large":
      return t("It is too large to be sent. Go back, and remove a file or shorten a text.");
    case "file-unreadable":
      return t("“{name}” can no longer be read. It may have been moved or changed. Go back, remove it and choose it again.", {
        name: files[/** @type {PortalError} */ (error).file ?? 0]?.name ?? "",
      });
    case "acknowledgement-invalid":
      return t("What the site answered is not signed as it should be. Do not count on it having arrived. Try again, from another network if you can.");
    default:
      return t("Something went wrong. Do not count on it having arrived. What you wrote is still here. Try again.");
  }
}
