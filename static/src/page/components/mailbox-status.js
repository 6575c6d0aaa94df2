// SPDX-License-Identifier: AGPL-3.0-or-later
// What the commission's office has confirmed, how old that is, which of the person's own messages it has, and the alarms.
//
// The words stand in the page; this only shows those that are true. docs/protocol.md §8.3.

import { ageInDays, dayWithAge, dayWords, t } from "../strings.js";
import { copyTemplate, part, parts, setting } from "./element.js";

/** @typedef {import("../../formats/worker-calls.js").Mailbox} Mailbox */

// The office confirms every week; after two it has been missed at least once.
const CONFIRMED_DAYS_MAX = 14;
// A longer list is opened by hand.
const SENT_OPEN_MAX = 5;
const RULE = "\n================================================================\n\n";

/**
 * @param {HTMLElement} panel
 * @param {Mailbox} mailbox
 */
export function showStatus(panel, { shown, collection, confirmed, charter, newest, alarms }) {
  const stale = confirmed !== null && ageInDays(confirmed.day) > CONFIRMED_DAYS_MAX;
  /** @type {Record<string, string | boolean | null>} true ones by name, those with a day as its words */
  const facts = {
    collected: collection && dayWords(collection),
    confirmed: confirmed && dayWithAge(confirmed.day),
    unconfirmed: !confirmed,
    stale,
    older: confirmed !== null && confirmed.older,
    replaced: charter.replaced,
    newest: newest.day && dayWithAge(newest.day),
    unchecked: !newest.day,
  };
  for (const words of parts(panel, "[data-fact]")) {
    const fact = shown && facts[setting(words, "fact")];
    words.hidden = !fact;
    const day = words.querySelector("[data-day]");
    if (day) day.textContent = typeof fact === "string" ? fact : "";
  }
  const status = part(panel, "[data-status]");
  const isCalm = confirmed !== null && !confirmed.older && !stale && !charter.replaced;
  status.hidden = !shown;
  // Beside an alarm nothing is good.
  status.classList.toggle("notice--good", isCalm && alarms.length === 0);
  status.classList.toggle("notice--caution", !isCalm);
}

/**
 * The person's own messages by number and day, without a word of them.
 *
 * @param {HTMLElement} panel
 * @param {Mailbox["sent"]} sent
 */
export function showSent(panel, sent) {
  const box = /** @type {HTMLDetailsElement} */ (part(panel, "[data-sent]"));
  box.hidden = sent.length === 0;
  box.open = sent.length <= SENT_OPEN_MAX;
  const fetched = sent.filter((message) => message.fetched).length;
  part(box, "[data-sent-tally]").textContent = t("Your own messages: {fetched} of {all} fetched", {
    fetched,
    all: sent.length,
  });
  const rows = sent.map(({ number, day, fetched: isFetched }) => {
    const row = copyTemplate(panel, "sent");
    part(row, "[data-number]").textContent = t("Message {number}", { number });
    part(row, "[data-day]").textContent = dayWords(day);
    part(row, isFetched ? "[data-fetched]" : "[data-waiting]").hidden = false;
    return row;
  });
  part(box, "ul").replaceChildren(...rows.reverse());
}

/**
 * @param {HTMLElement} panel
 * @param {Mailbox["alarms"]} alarms
 */
export function showAlarms(panel, alarms) {
  const box = part(panel, "[data-alarm]");
  box.hidden = alarms.length === 0;
  for (const words of parts(box, "[data-kind]")) words.hidden = !alarms.some(({ kind }) => kind === words.dataset.kind);
}

/**
 * The notes that contradict each other, each once, as one text.
 *
 * @param {Mailbox["alarms"]} alarms
 */
export function evidenceOf(alarms) {
  return [...new Set(alarms.flatMap(({ evidence }) => evidence))].join(RULE);
}

/**
 * Whether a saved acknowledgement names the thread that the code opens.
 *
 * @param {string} note text of the file
 * @param {string | null} manifest hash of the thread's manifest
 * @returns {"same" | "other" | "no-note"}
 */
export function compareNote(note, manifest) {
  const lines = note.split(/\r?\n/);
  if (lines[0] !== "amparo acknowledgement v1") return "no-note";
  return manifest !== null && lines[3] === manifest ? "same" : "other";
}
