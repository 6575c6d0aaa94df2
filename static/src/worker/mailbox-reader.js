// SPDX-License-Identifier: AGPL-3.0-or-later
// Reading a mailbox that a portal shows which may lie: what is genuine, what is missing, what contradicts itself.
// docs/protocol.md §8.3, in its order.
//
// Pure: no requests, no clock. What it takes is signed by whom it must be; what it can't take never hides the rest.

import { readAcknowledgement } from "../formats/acknowledgement.js";
import { identityFromSeed } from "../formats/age.js";
import { isReader, mayReply, membersOn, readCharter } from "../formats/charter.js";
import { readCollection } from "../formats/collection.js";
import { encodeUtf8 } from "../formats/encoding.js";
import { FormatError } from "../formats/errors.js";
import { messageId } from "../formats/message.js";
import { parseNote, verifyNote } from "../formats/note.js";
import { readPostingText } from "../formats/posting.js";
import { openRenewal } from "../formats/renewal.js";
import { newerKeys } from "../formats/thread-keys.js";
import { openThreadNote } from "../formats/thread-note.js";
import { followChain, readNewest } from "./charter-freshness.js";
import { openReplies } from "./replies.js";

/**
 * @typedef {import("../formats/charter.js").Charter} Charter
 * @typedef {import("../formats/charter.js").Member} Member
 * @typedef {import("../formats/mailbox-answer.js").MailboxAnswer} MailboxAnswer
 * @typedef {import("../formats/posting.js").Posting} Posting
 * @typedef {import("../formats/state.js").State} State
 * @typedef {import("../formats/thread-note.js").ThreadNote} ThreadNote
 * @typedef {import("../formats/worker-calls.js").Alarm} Alarm
 * @typedef {import("../formats/worker-calls.js").Verdict} Verdict
 * @typedef {Map<number, { said: Posting, note: string }>} Postings the genuine ones by number, with their notes
 */

/**
 * A charter and its successors, as far as each continues the one before; notes before it are passed over. Empty when it is
 * not there.
 *
 * @param {string} realm
 * @param {string} hash of the charter that the state names
 * @param {string[]} notes
 * @returns {Charter[]}
 */
export function readChain(realm, hash, notes) {
  const at = notes.findIndex((note) => tryRead(() => parseNote(encodeUtf8(note)).hash) === hash);
  const first = at < 0 ? null : tryRead(() => readCharter(encodeUtf8(notes[at])));
  return first && first.realm === realm ? followChain(first, notes.slice(at + 1)) : [];
}

/**
 * @param {MailboxAnswer} answer whose state was opened
 * @param {State} state
 * @param {Pick<import("../formats/derive.js").MailboxSecrets, "mailboxSeed">} secrets
 * @param {Charter[]} chain of `readChain`
 * @param {string | null} newest a newest-charter note
 * @returns {Promise<Verdict & { next: State }>} `next` is to be written back, sealed
 */
export function readMailbox(answer, state, { mailboxSeed }, chain, newest) {
  return new Reader(state, identityFromSeed(mailboxSeed), chain).read(answer, newest);
}

/**
 * What a code that opens nothing shows: the same as a mailbox in which the commission has not spoken.
 *
 * @param {Charter[]} chain of `readChain`, from one of the portal's charters
 * @param {string | null} newest a newest-charter note
 * @returns {Verdict}
 */
export function readNothing(chain, newest) {
  const last = chain[chain.length - 1];
  const { day, replaced } = last ? judgeNewest(newest, chain, 0) : { day: null, replaced: false };
  return {
    shown: false,
    collection: null,
    confirmed: null,
    sent: [],
    messages: [],
    missing: [],
    alarms: [],
    charter: { number: last ? last.number : 0, replaced },
    newestDay: day,
    keysRenewed: false,
  };
}

class Reader {
  /** @type {Alarm[]} */
  #alarms = [];
  #state;
  #identity;
  #chain;

  /**
   * @param {State} state
   * @param {string} identity of the mailbox
   * @param {Charter[]} chain
   */
  constructor(state, identity, chain) {
    this.#state = state;
    this.#identity = identity;
    this.#chain = chain;
  }

  /**
   * @param {MailboxAnswer} answer
   * @param {string | null} newest
   * @returns {Promise<Verdict & { next: State }>}
   */
  async read(answer, newest) {
    const known = this.#state.thread;
    this.#checkChain();
    const { day: newestDay, replaced, evidence } = judgeNewest(newest, this.#chain, this.#state.newest.number);
    if (evidence) this.#alarm("charter", evidence);
    const acknowledged = this.#acknowledgement(answer.acknowledgement);
    const collection = this.#collection(answer.collection, acknowledged);
    const { thread, signed } = await this.#thread(answer.thread);
    const postings = this.#postings(answer.messages, thread, signed);
    const lastDay = latest(newestDay, thread && thread.day);
    const rules = { state: this.#state, identity: this.#identity, charters: this.#chain, lastDay };
    const { messages, keys: replied } = await openReplies(answer.messages, postings, rules, (signer, posting) => {
      const member = this.#present(signer, posting.newest.number, posting.posted);
      return member !== null && mayReply(member);
    });
    const keys = newerKeys(replied, (await this.#renewed(thread)) ?? known.keys);
    const next = this.#next(thread, postings, keys);
    return {
      shown: Boolean(collection || thread || messages.length > 0 || this.#alarms.length > 0),
      collection: collection && collection.collected,
      confirmed: thread && { day: thread.day, older: thread.number < known.note },
      sent: this.#sent(thread),
      messages,
      missing: findMissing(thread, known.deleted, postings),
      alarms: this.#alarms,
      charter: { number: next.newest.number, replaced },
      newestDay,
      keysRenewed: keys.generation > known.keys.generation,
      next,
    };
  }

  /** A charter that was seen before, and another one under its number: both are signed by the governors. */
  #checkChain() {
    const { number, charter } = this.#state.newest;
    const shown = this.#charter(number);
    if (shown && shown.hash !== charter) this.#alarm("charter", [shown.signed]);
  }

  /**
   * @param {string | null} note
   * @returns {string | null} the acknowledgement, if it is genuine and of this submission
   */
  #acknowledgement(note) {
    const keys = this.#chain.map(({ portal }) => portal);
    const said = tryRead(() => (note === null ? null : readAcknowledgement(encodeUtf8(note), keys)));
    if (note === null || said === null || said.submission !== this.#state.thread.submission) return null;
    if (!this.#isOurs({ ...said, manifest: said.manifestHash })) this.#alarm("acknowledgement", [note]);
    return note;
  }

  /**
   * @param {string | null} note
   * @param {string | null} acknowledged evidence against who speaks of another manifest
   */
  #collection(note, acknowledged) {
    const keys = this.#chain.flatMap(({ office }) => office);
    const said = tryRead(() => (note === null ? null : readCollection(encodeUtf8(note), keys)));
    if (note === null || said === null || said.submission !== this.#state.thread.submission) return null;
    if (this.#isOurs({ ...said, manifest: said.manifestHash })) return said;
    this.#alarm("collection", acknowledged === null ? [note] : [acknowledged, note]);
    return null;
  }

  /**
   * The thread note that counts, and its text as it was signed.
   *
   * @param {Uint8Array | null} sealed
   * @returns {Promise<{ thread: ThreadNote | null, signed: string }>}
   */
  async #thread(sealed) {
    const none = { thread: null, signed: "" };
    const opened = sealed && (await tryOpen(() => openThreadNote(sealed, this.#identity)));
    if (!opened) return none;
    const { thread, note, signed } = opened;
    const charter = this.#charter(thread.newest.number);
    if (!charter || tryRead(() => verifyNote(note, charter.office)) === null) return none;
    if (charter.hash !== thread.newest.charter) {
      this.#alarm("charter", [signed, charter.signed]);
      return none;
    }
    if (!this.#isOurs(thread)) {
      this.#alarm("thread", [signed]);
      return none;
    }
    return thread.newest.number < this.#state.newest.number ? none : { thread, signed };
  }

  /**
   * The genuine postings; one that contradicts another, or the thread note, is an alarm.
   *
   * @param {MailboxAnswer["messages"]} messages
   * @param {ThreadNote | null} thread
   * @param {string} signed
   * @returns {Postings}
   */
  #postings(messages, thread, signed) {
    /** @type {Postings} */
    const found = new Map();
    for (const { posting: note, sealed } of messages) {
      const said = this.#posting(note, messageId(sealed));
      if (said === null) continue;
      const before = found.get(said.number);
      if (!before) found.set(said.number, { said, note });
      else if (before.said.message !== said.message) this.#alarm("reply-number", [before.note, note]);
    }
    const last = thread && found.get(thread.replies.last);
    if (last && last.said.message !== thread.replies.message) this.#alarm("reply-number", [last.note, signed]);
    return found;
  }

  /**
   * @param {string} text
   * @param {string} message id of the file that it came with
   * @returns {Posting | null} when it is genuine, and of this thread and file
   */
  #posting(text, message) {
    return tryRead(() => {
      const note = parseNote(encodeUtf8(text));
      const said = readPostingText(note.text);
      const charter = this.#charter(said.newest.number);
      if (!charter || charter.hash !== said.newest.charter) return null;
      verifyNote(note, charter.office);
      const { realm, thread, newest } = this.#state;
      if (said.number > thread.reply && said.newest.number < newest.number) return null;
      return said.realm === realm && said.manifest === thread.manifest && said.message === message ? said : null;
    });
  }

  /** @param {ThreadNote | null} thread */
  async #renewed(thread) {
    const sealed = thread && thread.renewal;
    const renewal = sealed && (await tryOpen(() => openRenewal(sealed, this.#identity, this.#chain)));
    if (!renewal || !this.#isOurs({ ...renewal, realm: thread.realm }) || renewal.day > thread.day) return null;
    const member = this.#present(renewal.signer, thread.newest.number, thread.day);
    return member !== null && isReader(member) ? renewal.keys : null;
  }

  /**
   * The same person by a charter of the chain on a day; null for those who were none of its members then, and for those
   * whom the reporter excluded.
   *
   * @param {Member} signer
   * @param {number} number of the charter
   * @param {string} day
   */
  #present(signer, number, day) {
    const charter = this.#charter(number);
    if (!charter || this.#isExcluded(signer)) return null;
    const member = membersOn(charter, day).find((each) => isSamePerson(each, signer));
    return !member || this.#isExcluded(member) ? null : member;
  }

  /**
   * By label or by key: a later charter may give a person another label.
   *
   * @param {Member} member
   */
  #isExcluded(member) {
    const { excluded } = this.#state.thread;
    const persons = this.#chain[0].members.filter(({ label }) => excluded.includes(label));
    return excluded.includes(member.label) || persons.some((person) => isSamePerson(person, member));
  }

  /** @param {ThreadNote | null} thread */
  #sent(thread) {
    const { count, last } = this.#state.thread.sent;
    const held = new Set(thread ? thread.held.messages : []);
    return last.map(({ id, day }, index) => ({ number: count - last.length + index + 1, day, fetched: held.has(id) }));
  }

  /**
   * @param {ThreadNote | null} thread
   * @param {Postings} postings
   * @param {import("../formats/thread-keys.js").ThreadKeys} keys
   * @returns {State}
   */
  #next(thread, postings, keys) {
    const known = this.#state.thread;
    const note = Math.max(known.note, thread ? thread.number : 0);
    const moved = { ...known, keys, note, reply: Math.max(known.reply, ...postings.keys()) };
    const last = this.#chain[this.#chain.length - 1];
    const isNewer = last && last.number > this.#state.newest.number;
    const newest = isNewer ? { number: last.number, charter: last.hash } : this.#state.newest;
    return { ...this.#state, thread: moved, newest };
  }

  /** @param {{ realm: string, submission: string, manifest: string }} named */
  #isOurs({ realm, submission, manifest }) {
    const { thread } = this.#state;
    return realm === this.#state.realm && submission === thread.submission && manifest === thread.manifest;
  }

  /** @param {number} number */
  #charter(number) {
    return this.#chain.find((charter) => charter.number === number);
  }

  /**
   * @param {Alarm["kind"]} kind
   * @param {string[]} evidence
   */
  #alarm(kind, evidence) {
    this.#alarms.push({ kind, evidence });
  }
}

/**
 * The day of a genuine newest-charter note, and whether the commission has a charter that the portal does not show.
 *
 * @param {string | null} note
 * @param {Charter[]} chain
 * @param {number} seen number of the highest charter that was seen
 * @returns {{ day: string | null, replaced: boolean, evidence?: string[] }} evidence of a charter with two contents
 */
function judgeNewest(note, chain, seen) {
  const last = chain.length > 0 ? chain[chain.length - 1].number : 0;
  const said = chain.length > 0 ? readNewest(note, chain) : null;
  if (note === null || said === null) return { day: null, replaced: last < seen };
  const named = chain.find(({ number }) => number === said.number);
  if (named && named.hash !== said.charter) return { day: null, replaced: true, evidence: [note, named.signed] };
  return { day: said.day, replaced: last < seen || said.number > last };
}

/**
 * @param {string | null} one
 * @param {string | null} other
 */
function latest(one, other) {
  // Days in this form sort as strings.
  return one !== null && (other === null || one > other) ? one : other;
}

/**
 * Numbers of replies that are expected, and of which there is no posting.
 *
 * @param {ThreadNote | null} thread
 * @param {number} deleted
 * @param {Postings} postings
 */
function findMissing(thread, deleted, postings) {
  const missing = [];
  const { oldest, last } = thread ? thread.replies : { oldest: 1, last: 0 };
  for (let number = Math.max(oldest, deleted + 1); number <= last; number++) {
    if (!postings.has(number)) missing.push(number);
  }
  return missing;
}

/**
 * @param {Member} one
 * @param {Member} other
 */
function isSamePerson(one, other) {
  return String(one.verifier.publicKey) === String(other.verifier.publicKey);
}

/**
 * @template T
 * @param {() => T} read
 * @returns {T | null} null for what is not genuine
 */
function tryRead(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/**
 * @template T
 * @param {() => Promise<T>} open
 * @returns {Promise<T | null>} null for what does not open, or is not genuine
 */
async function tryOpen(open) {
  try {
    return await open();
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}
