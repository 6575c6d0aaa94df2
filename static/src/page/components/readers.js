// SPDX-License-Identifier: AGPL-3.0-or-later
// "Check your answers" repeats who will read the report, and whom the person has left out.

import { part, parts } from "./element.js";
import { isMemberOn } from "./members.js";

/**
 * @param {HTMLElement} panel
 * @param {string[]} excluded labels of members
 * @param {string[]} days YYYY-MM-DD, that of the device and that of the portal: readers are those of both
 */
export function showReaders(panel, excluded, days) {
  const leftOut = part(panel, "[data-left-out]");
  for (const reader of parts(panel, "[data-reader]")) {
    reader.hidden = !days.every((day) => isMemberOn(reader, day));
    const isLeftOut = excluded.includes(reader.dataset.reader ?? "");
    part(isLeftOut ? leftOut : panel, isLeftOut ? "ul" : "[data-readers]").append(reader);
  }
  leftOut.hidden = excluded.length === 0;
  part(panel, "[data-nobody-left-out]").hidden = excluded.length > 0;
}
