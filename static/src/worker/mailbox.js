// SPDX-License-Identifier: AGPL-3.0-or-later
// The reporter's return: read replies, send follow-ups, delete, close. docs/protocol.md §8, §9.
//
// A code that opens nothing must look like a mailbox without messages to an observer of screen, clock or network: the
// same requests of the same size, and the same answer.

import { deriveSecrets, wipeSecrets } from "../formats/derive.js";
import { ID_BYTES, HASH_BYTES, encodeHex, formatDay } from "../formats/encoding.js";
import { LimitError } from "../formats/errors.js";
import { messageId, sealFollowUp } from "../formats/message.js";
import { PortalError } from "../formats/portal-error.js";
import { randomBytes } from "../formats/random.js";
import { addSent, deleteReplies } from "../formats/state.js";
import { freshness } from "./charter-freshness.js";
import { fetchMailbox, makeChange, pickCharter, throwawayRecipient } from "./mailbox-access.js";
import { readChain, readMailbox, readNothing } from "./mailbox-reader.js";
import { Trouble } from "./request.js";

// Another device wrote meanwhile, or the portal says so: then all is read again, this often. For the note of a visit
// nobody waits long.
const TRIES_MAX = 5;
const NOTE_TRIES_MAX = 2;

/**
 * @typedef {import("../formats/charter.js").Charter} Charter
 * @typedef {import("../formats/derive.js").MailboxSecrets} MailboxSecrets
 * @typedef {import("../formats/state.js").State} State
 * @typedef {import("../formats/worker-calls.js").FollowUpRequest} FollowUpRequest
 * @typedef {import("../formats/worker-calls.js").Mailbox} Mailbox
 * @typedef {import("../formats/worker-calls.js").MailboxRequest} MailboxRequest
 * @typedef {import("../formats/worker-calls.js").Seen} Seen
 * @typedef {import("./mailbox-access.js").Change} Change
 * @typedef {import("./mailbox-portal.js").MailboxPortal} Portal
 * @typedef {{ portal: Portal, now: () => Date, fill: import("../formats/random.js").Fill }} Context
 */

/**
 * A visit: read, and note in the state what was seen. One that can't be noted is still a visit.
 *
 * @param {MailboxRequest} request
 * @param {Context} context
 * @returns {Promise<Mailbox>}
 */
export function openMailbox(request, context) {
  return visit(request, context, false, async (state) => onlyState(state));
}

/**
 * Seal and send a message to the commission, with the state that lists it, in one request.
 *
 * @param {FollowUpRequest} request
 * @param {Context} context
 * @returns {Promise<Mailbox>}
 */
export async function sendFollowUp(request, context) {
  const { kind, body } = request;
  const day = formatDay(context.now());
  return visit(request, context, true, async (known) => {
    const { thread } = known ?? (await makeThread(context));
    const { submission, manifest, keys, sent } = thread;
    const followUp = await sealFollowUp({ submission, manifest, number: sent.count + 1, day, kind, body }, keys);
    return { ...onlyState(known && addSent(known, messageId(followUp), day)), followUp };
  });
}

/**
 * Delete the replies up to a number.
 *
 * @param {import("../formats/worker-calls.js").DeleteRequest} request
 * @param {Context} context
 * @returns {Promise<Mailbox>}
 */
export async function deleteMessages(request, context) {
  const { upTo } = request;
  const mailbox = await visit(request, context, true, async (known) => {
    return { ...onlyState(known && deleteReplies(known, upTo)), delete: upTo };
  });
  const messages = mailbox.messages.filter(({ number }) => number === null || number > upTo);
  return { ...mailbox, messages, missing: mailbox.missing.filter((number) => number > upTo) };
}

/**
 * Close the mailbox: from then on it answers like an unknown one.
 *
 * @param {MailboxRequest} request
 * @param {Context} context
 */
export async function closeMailbox(request, context) {
  await visit(request, context, true, async (known) => ({ ...onlyState(known), close: true }));
}

/**
 * Read a mailbox and change it; read again, and make the change anew, when another device was faster.
 *
 * @param {MailboxRequest} request
 * @param {Context} context
 * @param {boolean} mustWrite whether all is for the sake of the change; without it one attempt is enough
 * @param {(next: State | null) => Promise<Change>} compose from the state that notes what was seen
 * @returns {Promise<Mailbox>}
 */
function visit(request, { portal, now, fill }, mustWrite, compose) {
  const today = formatDay(now());
  return withSecrets(request, async (secrets) => {
    let fetched = await fetchMailbox(secrets, portal);
    refuseChange(request.seen, fetched.state);
    const { chain, newest } = await fetchCharters(request, secrets, fetched.state, portal);
    for (let tries = 1; ; tries++) {
      const { answer, state } = fetched;
      const read = state && (await readMailbox(answer, state, secrets, chain, newest));
      const { next, ...verdict } = read ?? { ...readNothing(chain, newest), next: null };
      // What contradicts itself since it was read gets no word more.
      if (mustWrite && read && read.alarms.length > 0) throw new PortalError("mailbox-untrue");
      const change = await compose(next);
      const body = await makeChange(secrets, request.realm, answer.state, change, fill);
      const failure = await postChange(portal, body, mustWrite);
      if (failure === null) return describe(verdict, change.state, true, today);
      const isConflict = failure instanceof PortalError && failure.code === "state-conflict";
      if (!isConflict || tries === (mustWrite ? TRIES_MAX : NOTE_TRIES_MAX)) {
        if (mustWrite) throw failure;
        return describe(verdict, state, false, today);
      }
      fetched = await fetchMailbox(secrets, portal);
      // Closed by a try whose answer was lost: it answers like an unknown one already. One that still opens does not.
      if (change.close && !fetched.state) return describe(verdict, null, true, today);
      refuseChange(seenOf(state), fetched.state);
    }
  });
}

/**
 * @param {Portal} portal
 * @param {unknown} change
 * @param {boolean} patiently until the network is back
 * @returns {Promise<PortalError | Trouble | null>} why the portal did not take it
 */
async function postChange(portal, change, patiently) {
  try {
    await portal.postChange(change, patiently);
    return null;
  } catch (error) {
    if (error instanceof PortalError || error instanceof Trouble) return error;
    throw error;
  }
}

/**
 * Nothing of a state leaves the worker before the commission has spoken.
 *
 * @param {import("../formats/worker-calls.js").Verdict} verdict
 * @param {State | null} state the one that the portal holds now
 * @param {boolean} written
 * @param {string} today
 * @returns {Mailbox}
 */
function describe(verdict, state, written, today) {
  const { newestDay, ...rest } = verdict;
  const sent = verdict.shown && state ? listSent(state, verdict.sent) : [];
  return { ...rest, sent, newest: freshness(newestDay, today), written, seen: seenOf(state) };
}

/**
 * What was sent, with that of this call.
 *
 * @param {State} state
 * @param {import("../formats/worker-calls.js").SentMessage[]} before
 */
function listSent({ thread: { sent } }, before) {
  const last = before.length > 0 ? before[before.length - 1].number : 0;
  const added = sent.count > last ? sent.last.slice(-1) : [];
  return [...before, ...added.map(({ day }) => ({ number: sent.count, day, fetched: false }))];
}

/**
 * The charter of the state and its successors as the portal shows them: one request, whatever comes of it.
 *
 * @param {MailboxRequest} request
 * @param {MailboxSecrets} secrets
 * @param {State | null} state
 * @param {Portal} portal
 * @returns {Promise<{ chain: Charter[], newest: string | null }>}
 */
async function fetchCharters({ realm, charters }, secrets, state, portal) {
  const hash = state ? state.thread.charter : pickCharter(secrets, charters);
  const shown = await orNothing(portal.getChain(hash));
  return { chain: shown ? readChain(realm, hash, shown.charters) : [], newest: shown && shown.newest };
}

/**
 * @template T
 * @param {Promise<T>} call
 * @returns {Promise<T | null>} null when the portal refuses
 */
async function orNothing(call) {
  try {
    return await call;
  } catch (error) {
    if (error instanceof PortalError) return null;
    throw error;
  }
}

/**
 * @param {State | null} state
 * @returns {Change}
 */
function onlyState(state) {
  return { state, followUp: null, delete: 0, close: false };
}

/**
 * In the place of a thread for a code that opens nothing, so that it takes the same time and makes the same sizes.
 *
 * @param {Context} context
 */
async function makeThread({ fill }) {
  const random = (/** @type {number} */ size) => encodeHex(randomBytes(size, fill));
  const keys = { generation: 0, recipient: await throwawayRecipient(), message_mac: random(HASH_BYTES) };
  return { thread: { submission: random(ID_BYTES), manifest: random(HASH_BYTES), keys, sent: { count: 0 } } };
}

/**
 * @param {State | null} state
 * @returns {Seen}
 */
function seenOf(state) {
  if (!state) return { thread: null, counts: [] };
  const { manifest, note, reply, deleted, sent, keys } = state.thread;
  return { thread: manifest, counts: [note, reply, deleted, sent.count, keys.generation, state.newest.number] };
}

/**
 * Refuse a portal that shows the true mailbox, and then a decoy, another one, or the one of yesterday.
 *
 * @param {Seen | undefined} seen
 * @param {State | null} state
 * @throws {PortalError} `mailbox-changed`
 */
function refuseChange(seen, state) {
  if (!seen) return;
  const { thread, counts } = seenOf(state);
  const isOlder = counts.some((count, index) => count < seen.counts[index]);
  if (thread !== seen.thread || isOlder) throw new PortalError("mailbox-changed");
}

/**
 * @template T
 * @param {{ digits: string, realm: string }} request
 * @param {(secrets: MailboxSecrets) => Promise<T>} run
 */
async function withSecrets({ digits, realm }, run) {
  const secrets = await deriveSecrets(digits, realm);
  try {
    return await run(secrets);
  } catch (error) {
    if (error instanceof LimitError) throw new PortalError("too-large");
    throw error;
  } finally {
    wipeSecrets(secrets);
  }
}
