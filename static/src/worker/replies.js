// SPDX-License-Identifier: AGPL-3.0-or-later
// The replies of a mailbox: opened, and shown with their text only if they count. docs/protocol.md §8.3, point 4.

import { AuthenticationError, FormatError } from "../formats/errors.js";
import { messageId, openReply, verifyReply } from "../formats/message.js";
import { newerKeys } from "../formats/thread-keys.js";

/**
 * @typedef {import("../formats/posting.js").Posting} Posting
 * @typedef {import("../formats/worker-calls.js").Message} Message
 * @typedef {import("../formats/charter.js").Member} Member
 *
 * @typedef {object} Rules
 * @property {import("../formats/state.js").State} state
 * @property {string} identity of the mailbox
 * @property {import("../formats/charter.js").Charter[]} charters
 * @property {string | null} lastDay the newest signed day there is
 */

/**
 * Each reply once, in the order of their numbers, and the newest keys that those which count brought.
 *
 * @param {import("../formats/mailbox-answer.js").PostedReply[]} replies
 * @param {import("./mailbox-reader.js").Postings} postings
 * @param {Rules} rules
 * @param {(signer: Member, posting: Posting) => boolean} isWriter whether they might write when it was posted
 */
export async function openReplies(replies, postings, rules, isWriter) {
  const byMessage = new Map([...postings.values()].map(({ said }) => [said.message, said]));
  let { keys, deleted } = rules.state.thread;
  /** @type {Map<string, Message>} */
  const shown = new Map();
  for (const { sealed } of replies) {
    const id = messageId(sealed);
    const posting = byMessage.get(id) ?? null;
    if (shown.has(id) || (posting && posting.number <= deleted)) continue;
    const opened = await openOne(sealed, posting, rules, isWriter);
    shown.set(id, { id, ...opened.message });
    if (opened.keys) keys = newerKeys(keys, opened.keys);
  }
  const messages = [...shown.values()].sort((one, other) => (one.number ?? Infinity) - (other.number ?? Infinity) || 0);
  return { messages, keys };
}

/**
 * @param {Uint8Array} sealed
 * @param {Posting | null} posting a genuine one
 * @param {Rules} rules
 * @param {(signer: Member, posting: Posting) => boolean} isWriter
 */
async function openOne(sealed, posting, { state, identity, charters, lastDay }, isWriter) {
  const [number, posted] = posting ? [posting.number, posting.posted] : [null, null];
  /** @type {(problem: "unreadable" | "unsigned") => { message: Omit<Message, "id">, keys: null }} */
  const broken = (problem) => ({ message: { number, day: posted, language: "", body: "", from: null, problem }, keys: null });
  let reply;
  try {
    reply = await openReply(sealed, identity);
  } catch (error) {
    if (error instanceof FormatError) return broken("unreadable");
    throw error;
  }
  const signer = findSigner(reply, charters);
  const isOurs = reply.submission === state.thread.submission && reply.manifest === state.thread.manifest;
  if (!posting || !signer || !isOurs || !isWriter(signer, posting)) return broken("unsigned");
  if (reply.day > posting.posted || (lastDay !== null && posting.posted > lastDay)) return broken("unsigned");
  const { day, language, body, keys } = reply;
  return { message: { number, day, language, body, from: { label: signer.label, name: signer.name }, problem: null }, keys };
}

/**
 * @param {import("../formats/message.js").Reply} reply
 * @param {import("../formats/charter.js").Charter[]} charters
 */
function findSigner(reply, charters) {
  try {
    return verifyReply(reply, charters);
  } catch (error) {
    if (error instanceof AuthenticationError) return null;
    throw error;
  }
}
