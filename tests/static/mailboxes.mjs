// SPDX-License-Identifier: AGPL-3.0-or-later
// The mailboxes of the test portal. docs/protocol.md §8, §9.3.

import { createHash } from "node:crypto";
import { parseNote, parseVerifier, verifyNote } from "../../static/src/formats/note.js";

const STEP_BYTES = 131_072;

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/**
 * Mailboxes by id, in memory: `{ token, verifier, state, acknowledgement, collection, thread, messages, followUps }`, the
 * token in hex, V as a verifier key in text, sealed files as bytes, `messages` as `{ number, posting, sealed }`. Of
 * unknown ones the changed states are kept.
 */
export class TestMailboxes extends Map {
  pageSize = Infinity;
  #strangers = new Map();

  /** The padded answer. */
  read({ mailbox, token, after = 0 }) {
    const { state, acknowledgement = null, collection = null, thread = null, messages = [] } = this.#find(mailbox, token);
    const left = messages.filter(({ number }) => number > after);
    const page = left.slice(0, this.pageSize).map(({ posting, sealed }) => ({ posting, sealed: base64(sealed) }));
    // Canonical JSON: the names are in their order.
    const content = {
      acknowledgement,
      collection,
      messages: page,
      more: page.length < left.length,
      state: base64(state),
      thread: thread && base64(thread),
      version: "amparo/v1/mailbox",
    };
    const json = Buffer.from(JSON.stringify(content));
    const answer = Buffer.alloc(STEP_BYTES * 2 ** Math.max(0, Math.ceil(Math.log2((json.length + 4) / STEP_BYTES))));
    answer.writeUInt32BE(json.length);
    json.copy(answer, 4);
    return answer;
  }

  /** Make a change; the code of its refusal, if it is refused. */
  change({ mailbox, token, control, state, follow_up: followUp }) {
    const known = this.#find(mailbox, token);
    const said = readControl(control);
    const [sealed, message] = [Buffer.from(state, "base64"), followUp && Buffer.from(followUp, "base64")];
    if (said.state !== sha256(sealed)) throw new Error("a control note for another state");
    if (said.followUp !== (message ? sha256(message).slice(0, 32) : "0".repeat(32))) throw new Error("for another message");
    if (message && known.followUps.some((held) => held.equals(message))) return null;
    if (said.replaces !== sha256(known.state)) return "state-conflict";
    if (known.verifier && !isGenuine(control, known.verifier)) return null;
    known.state = sealed;
    known.messages = known.messages?.filter(({ number }) => number > said.delete);
    if (message) known.followUps.push(message);
    if (said.close && known.verifier) this.delete(mailbox);
    return null;
  }

  #find(mailbox, token) {
    const known = this.get(mailbox);
    if (known && known.token === token) return known;
    const key = `${mailbox} ${token}`;
    if (!this.#strangers.has(key)) this.#strangers.set(key, { state: decoy(), followUps: [] });
    return this.#strangers.get(key);
  }
}

function readControl(note) {
  const [heading, , , state, followUp, deleted, ending] = note.split("\n");
  if (heading !== "amparo control v1") throw new Error("not a control note");
  const [, replaces, next] = state.split(" ");
  const [, message] = followUp.split(" ");
  return { replaces, state: next, followUp: message, delete: Number(deleted.split(" ")[1]), close: ending === "close" };
}

function isGenuine(note, verifier) {
  try {
    return verifyNote(parseNote(Buffer.from(note)), [parseVerifier(verifier)]).length === 1;
  } catch {
    return false;
  }
}

/** Of the shape and the length of a state file; opened by nobody. */
function decoy() {
  const share = Buffer.alloc(1120, 7).toString("base64").replace(/=+$/, "");
  const wrapped = Buffer.alloc(32, 9).toString("base64").replace(/=+$/, "");
  const header = `age-encryption.org/v1\n-> mlkem768x25519 ${share}\n${wrapped}\n--- ${wrapped}\n`;
  return Buffer.concat([Buffer.from(header), Buffer.alloc(16 + 16_384 + 16, 3)]);
}

const base64 = (data) => Buffer.from(data).toString("base64");
