// SPDX-License-Identifier: AGPL-3.0-or-later
// Whether the charter that a page gives is the commission's newest: a portal could give an old one within its dates.
// docs/protocol.md §4.2.

import { checkSuccessor, readCharter } from "../formats/charter.js";
import { daysBetween, encodeUtf8 } from "../formats/encoding.js";
import { FormatError } from "../formats/errors.js";
import { readNewestCharter } from "../formats/newest-charter.js";
import { parseNote } from "../formats/note.js";
import { PortalError } from "../formats/portal-error.js";

// A note that is older than this is worth a warning.
const FRESH_DAYS_MAX = 7;

/**
 * @typedef {import("../formats/charter.js").Charter} Charter
 * @typedef {import("../formats/worker-calls.js").Freshness} Freshness
 * @typedef {{ charters: string[], newest: string | null }} Successors notes, as the portal shows them
 */

/**
 * A charter and its successors, as far as each continues the one before. None is verified twice, however often it comes:
 * that takes a phone long.
 *
 * @param {Charter} first
 * @param {string[]} notes oldest first; `first` itself may be among them
 * @returns {Charter[]}
 */
export function followChain(first, notes) {
  const chain = [first];
  for (const note of notes) {
    try {
      const bytes = encodeUtf8(note);
      const { hash } = parseNote(bytes);
      if (chain.some((known) => known.hash === hash)) continue;
      const next = readCharter(bytes);
      checkSuccessor(chain[chain.length - 1], next);
      chain.push(next);
    } catch (error) {
      if (error instanceof FormatError) break;
      throw error;
    }
  }
  return chain;
}

/**
 * Refuse a charter that a genuine successor in force or a genuine newest-charter note has replaced.
 *
 * @param {Charter} charter
 * @param {Successors} shown
 * @param {string} today
 * @returns {Freshness} on which day the office confirmed the charter as the newest
 * @throws {PortalError} `charter-replaced`
 */
export function checkFreshness(charter, { charters, newest }, today) {
  const [, ...successors] = followChain(charter, charters);
  const said = readNewest(newest, [charter, ...successors]);
  // A clock that is behind would take every successor for one to come.
  const day = said && said.day > today ? said.day : today;
  const future = successors.filter(({ valid }) => valid.from > day).map(({ hash }) => hash);
  if (future.length < successors.length) throw new PortalError("charter-replaced");
  if (said === null || said.number < charter.number) return freshness(null, today);
  // What is not in force yet replaces nothing, though the office names it.
  if (said.charter !== charter.hash && !future.includes(said.charter)) throw new PortalError("charter-replaced");
  return freshness(said.day, today);
}

/**
 * @param {string | null} day of a newest-charter note
 * @param {string} today by the device's clock, which may be wrong: this only warns
 * @returns {Freshness}
 */
export function freshness(day, today) {
  return { day, old: day === null || daysBetween(day, today) > FRESH_DAYS_MAX };
}

/**
 * @param {string | null} note
 * @param {Charter[]} chain
 * @returns {import("../formats/newest-charter.js").NewestCharter | null} when it is genuine, and of this commission
 */
export function readNewest(note, chain) {
  if (note === null) return null;
  try {
    const said = readNewestCharter(encodeUtf8(note), chain);
    return said.realm === chain[0].realm && said.slug === chain[0].slug ? said : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}
