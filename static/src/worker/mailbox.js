// SPDX-License-Identifier: AGPL-3.0-or-later
// The reporter's return: read replies, send follow-ups, delete, close. docs/protocol.md §8, §9.
//
// A code that opens nothing must look like a mailbox without messages to an observer of screen, clock or network: the
// same requests of the same size, and the same answer.

import { deriveSecrets, wipeSecrets } from "../formats/derive.js";
import { ID_BYTES, HASH_BYTES, decodeUtf8, encodeHex, formatDay } from "../formats/encoding.js";
import { LimitError } from "../formats/errors.js";
import { messageId, sealFollowUp } from "../formats/message.js";
import { PortalError } from "../formats/portal-error.js";
import { randomBytes } from "../formats/random.js";
import { addSent, deleteReplies } from "../formats/state.js";
import { freshness } from "./charter-freshness.js";
import { fetchMailbox, makeChange, pickCharter, throwawayRecipient } from "./mailbox-access.js";
import { readChain, readMailbox, readNothing } from "./mailbox-reader.js";
import { Trouble } from "./request.js";

// Another device wrote meanwhile, or the portal says so: then all is read again, this often.
const TRIES_MAX = 5;

/**
 * @typedef {import("../formats/charter.js").Charter} Charter
 * @typedef {import("../formats/derive.js").MailboxSecrets} MailboxSecrets
 * @typedef {import("../formats/state.js").State} State
 * @typedef {import("../formats/worker-calls.js").FollowUpRequest} FollowUpRequest
 * @typedef {import("../formats/worker-calls.js").Mailbox} Mailbox
 * @typedef {import("../formats/worker-calls.js").MailboxRequest} MailboxRequest
 * @typedef {import("../formats/worker-calls.js").Seen} Seen
 * @typedef {Awaited<ReturnType<typeof fetchMailbox>>} Fetched
 * @typedef {import("./mailbox-access.js").Change} Change
 * @typedef {{ portal: import("./portal.js").Portal, now: () => Date, fill: import("../formats/random.js").Fill }} Context
 */

/**
 * A visit: read, and note in the state what was seen.
 *
 * @param {MailboxRequest} request
 * @param {Context} context
 * @returns {Promise<Mailbox>}
 */
export async function openMailbox(request, context) {
  return withSecrets(request, async (secrets) => {
    let fetched = await fetchMailbox(secrets, context.portal);
    refuseChange(request.seen, fetched.state);
    const hash = fetched.state?.thread.charter ?? pickCharter(secrets, request.charters);
    const { notes, newest } = await fetchCharters(hash, context);
    const chain = readChain(request.realm, hash, notes);
    for (let tries = 1; ; tries++) {
      const { answer, state } = fetched;
      const read = state && (await readMailbox(answer, state, secrets, chain, newest));
      const { next, ...verdict } = read ?? { ...readNothing(chain, newest), next: null };
      const outcome = await tryWrite(secrets, request.realm, fetched, onlyState(next), context);
      if (outcome !== "conflict" || tries === TRIES_MAX) {
        const written = outcome === "written";
        return describe(verdict, written ? next : state, written, formatDay(context.now()));
      }
      fetched = await fetchMailbox(secrets, context.portal);
      refuseChange(seenOf(state), fetched.state);
    }
  });
}

/**
 * Seal and send a message to the commission, with the state that lists it, in one request.
 *
 * @param {FollowUpRequest} request
 * @param {Context} context
 * @returns {Promise<import("../formats/worker-calls.js").FollowedUp>}
 */
export async function sendFollowUp(request, context) {
  const day = formatDay(context.now());
  const { state, made } = await changeMailbox(request, context, async (known) => {
    const { thread } = known ?? (await makeThread(context));
    const number = thread.sent.count + 1;
    const { submission, manifest, keys } = thread;
    const { kind, body } = request;
    const followUp = await sealFollowUp({ submission, manifest, number, day, kind, body }, keys);
    const listed = known && addSent(known, messageId(followUp), day);
    return { change: { ...onlyState(listed), followUp }, made: number };
  });
  return { number: made, day, seen: seenOf(state) };
}

/**
 * Delete the replies up to a number.
 *
 * @param {import("../formats/worker-calls.js").DeleteRequest} request
 * @param {Context} context
 * @returns {Promise<{ seen: Seen }>}
 */
export async function deleteMessages(request, context) {
  const { state } = await changeMailbox(request, context, async (known) => {
    const left = known && deleteReplies(known, request.upTo);
    return { change: { ...onlyState(left), delete: request.upTo }, made: null };
  });
  return { seen: seenOf(state) };
}

/**
 * Close the mailbox: from then on it answers like an unknown one.
 *
 * @param {MailboxRequest} request
 * @param {Context} context
 */
export async function closeMailbox(request, context) {
  let tried = false;
  try {
    await changeMailbox(request, context, async (known) => {
      tried = true;
      return { change: { ...onlyState(known), close: true }, made: null };
    });
  } catch (error) {
    // Closed by a try whose answer was lost: the mailbox answers like an unknown one already.
    if (!(tried && error instanceof PortalError && error.code === "mailbox-changed")) throw error;
  }
}

/**
 * Make a change on the state that is there, and anew when another device was faster.
 *
 * @template T
 * @param {MailboxRequest} request
 * @param {Context} context
 * @param {(known: State | null) => Promise<{ change: Change, made: T }>} make
 * @returns {Promise<{ state: State | null, made: T }>}
 */
async function changeMailbox(request, { portal, fill }, make) {
  return withSecrets(request, async (secrets) => {
    for (let tries = 1; ; tries++) {
      const { answer, state } = await fetchMailbox(secrets, portal);
      refuseChange(request.seen, state);
      const { change, made } = await make(state);
      try {
        await portal.postChange(await makeChange(secrets, request.realm, answer.state, change, fill));
        return { state: change.state, made };
      } catch (error) {
        if (!isConflict(error) || tries === TRIES_MAX) throw error;
      }
    }
  });
}

/**
 * A visit that can't be noted is still a visit: one attempt is enough, and its failure hides nothing.
 *
 * @param {MailboxSecrets} secrets
 * @param {string} realm
 * @param {Fetched} fetched
 * @param {Change} change
 * @param {Context} context
 * @returns {Promise<"written" | "conflict" | "failed">}
 */
async function tryWrite(secrets, realm, { answer }, change, { portal, fill }) {
  const body = await makeChange(secrets, realm, answer.state, change, fill);
  try {
    await portal.postChangeOnce(body);
    return "written";
  } catch (error) {
    if (!(error instanceof PortalError || error instanceof Trouble)) throw error;
    return isConflict(error) ? "conflict" : "failed";
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
  const { newestDay, ...rest } = verdict.shown ? verdict : { ...verdict, sent: [], keysRenewed: false };
  return { ...rest, newest: freshness(newestDay, today), written, seen: seenOf(state) };
}

/**
 * The charter and its successors as the portal shows them: two requests, whatever comes of them.
 *
 * @param {string} hash
 * @param {Context} context
 */
async function fetchCharters(hash, { portal }) {
  const first = await orNothing(portal.getCharter(hash));
  const successors = await orNothing(portal.getSuccessors(hash));
  const notes = first ? [decodeUtf8(first), ...(successors?.charters ?? [])] : [];
  return { notes, newest: successors?.newest ?? null };
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

/** @param {unknown} error */
function isConflict(error) {
  return error instanceof PortalError && error.code === "state-conflict";
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
