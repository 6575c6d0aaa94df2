// SPDX-License-Identifier: AGPL-3.0-or-later

import { t } from "../strings.js";
import { part } from "./element.js";

/**
 * Says near the button that a call is waiting, and hides it again.
 *
 * @param {HTMLElement} element
 */
export function troubleNotice(element) {
  const notice = part(element, "[data-trouble]");
  notice.hidden = true;
  return {
    onTrouble: (/** @type {"offline" | "busy"} */ kind) => {
      part(notice, "[data-trouble-text]").textContent =
        kind === "offline"
          ? t("The connection is gone. It goes on by itself when the network is back.")
          : t("The site is busy. We try again by ourselves.");
      notice.hidden = false;
    },
    onCalm: () => {
      notice.hidden = true;
    },
  };
}
