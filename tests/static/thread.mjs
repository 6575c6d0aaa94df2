// SPDX-License-Identifier: AGPL-3.0-or-later
// A thread as each side of it may make it, truthfully or not: what a portal shows, an office signs, a member writes. The
// same as tests/threads.py.
//
// Everything has a default that is true on the days of the example; a test lies in one argument.

import { createHash } from "node:crypto";
import { identityFromSeed, recipientOf } from "../../static/src/formats/age.js";
import { encodeJson } from "../../static/src/formats/canonical-json.js";
import { readCharter } from "../../static/src/formats/charter.js";
import { deriveSecrets } from "../../static/src/formats/derive.js";
import { messageId } from "../../static/src/formats/message.js";
import { signNote } from "../../static/src/formats/note.js";
import { addChecks } from "../../static/src/formats/receipt-code.js";
import { sealDocument } from "../../static/src/formats/sealed-document.js";
import { firstState, sealState } from "../../static/src/formats/state.js";
import { readChain, readMailbox } from "../../static/src/worker/mailbox-reader.js";
import { publicKeyOf } from "./keys.mjs";

export const REALM = "5e".repeat(16);
export const SENT = "2026-03-02";
export const WRITTEN = "2026-04-07";
export const VISITED = "2026-05-03";
export const DIGITS = addChecks("27".repeat(13));
export const UNKNOWN_DIGITS = addChecks("01".repeat(13));
const GOVERNORS = ["governors.example/ada", "governors.example/ben"];
const ROLES = { chiara: ["chair"], bruno: ["registrar", "triage"], irene: ["investigator"], adam: ["administrator", "auditor"] };

const bytes = (text) => new Uint8Array(Buffer.from(text));
export const seedOf = (name) => new Uint8Array(createHash("sha256").update(`seed of ${name}`).digest());
const hex = (data) => Buffer.from(data).toString("hex");
export const base64 = (data) => Buffer.from(data).toString("base64");

/** A verifier key in text; two names with one seed are one key. */
export function verifierOf(name, seed = seedOf(name)) {
  const key = Buffer.concat([Buffer.of(1), publicKeyOf(seed)]);
  const id = createHash("sha256").update(`${name}\n`).update(key).digest("hex").slice(0, 8);
  return `${name}+${id}+${key.toString("base64")}`;
}

/** A member of the commission. */
export async function memberOf(label, changes = {}) {
  return {
    label,
    name: `${label} of Acme`,
    roles: ROLES[label],
    recipient: await recipientOf(identityFromSeed(seedOf(label))),
    verifier: verifierOf(`acme/${label}`),
    from: "2026-01-01",
    until: null,
    ...changes,
  };
}

async function firstCharter() {
  return {
    version: "amparo/v1/charter",
    slug: "acme",
    name: { en: "Commission of Acme" },
    mandate: { en: "Extradition." },
    jurisdictions: ["XK"],
    number: 1,
    previous: null,
    origin: "https://portal.example",
    realm: REALM,
    portal: verifierOf("portal.example"),
    languages: ["en"],
    valid: { from: "2026-01-01", until: "2027-12-31" },
    governors: { threshold: 2, keys: GOVERNORS.map((name) => verifierOf(name)) },
    members: await Promise.all(Object.keys(ROLES).map((label) => memberOf(label))),
    reserve: { recipient: await recipientOf(identityFromSeed(seedOf("reserve"))), threshold: 2, shares: 3 },
    slots: 6,
    office: [verifierOf("acme/office")],
    urgency: [await recipientOf(identityFromSeed(seedOf("urgency")))],
    questionnaire: { id: "short", number: 1, panels: [] },
    retention: { grace_days: 7, reply_days: 365 },
    limits: { attachments: 8, attachment_bytes: 50_000_000 },
    options: { staffed_always: false },
  };
}

/** A charter, as it is read, of this object. */
export function signCharter(value, signers = GOVERNORS) {
  return readCharter(bytes(sign(`${Buffer.from(encodeJson(value))}\n`, ...signers)));
}

/** The note of a text, signed by these keys; a name may stand with the name of another key's seed, as in "a=b". */
export function sign(text, ...names) {
  const notes = names.map((name) => signNote(text, name.split("=")[0], seedOf(name.split("=").pop())));
  return `${text}\n${notes.map((note) => note.slice(text.length + 1)).join("")}`;
}

const lines = (name, ...rest) => [`amparo ${name} v1`, ...rest, ""].join("\n");

/** One report's thread; `charters` grows as the commission makes new ones. */
export class Thread {
  submission = "1a".repeat(16);
  manifest = "2b".repeat(32);

  static async start({ exclude = [] } = {}) {
    const thread = new Thread();
    thread.charters = [signCharter(await firstCharter())];
    thread.secrets = await deriveSecrets(DIGITS, REALM);
    thread.identity = identityFromSeed(seedOf("thread"));
    const recipient = await recipientOf(thread.identity);
    thread.keys = { generation: 0, recipient, message_mac: hex(thread.secrets.messageMac) };
    const { submission, manifest, keys } = thread;
    thread.state = firstState(thread.newest, { submission, manifest, excluded: exclude, keys });
    return thread;
  }

  /** The same thread, whose commission goes another way from here. */
  copy() {
    return Object.assign(new Thread(), this, { charters: [...this.charters] });
  }

  get newest() {
    return this.charters[this.charters.length - 1];
  }

  /** The commission makes a new charter. */
  changeCharter(changes) {
    const before = JSON.parse(this.newest.note.text);
    const next = { ...before, number: before.number + 1, previous: this.newest.hash, ...changes };
    this.charters.push(signCharter(next));
    return this.newest;
  }

  without(label) {
    const { members } = JSON.parse(this.newest.note.text);
    return this.changeCharter({ members: members.filter((member) => member.label !== label) });
  }

  sealedState(state = this.state) {
    return sealState(state, this.secrets);
  }

  async reply(number = 1, { author = "chiara", body = "We have read your report.", day = WRITTEN, ...lies } = {}) {
    const charter = lies.charter ?? this.newest;
    const keys = lies.keys ?? this.keys;
    const value = {
      version: "amparo/v1/reply",
      submission: lies.submission ?? this.submission,
      manifest: lies.manifest ?? this.manifest,
      charter: charter.hash,
      day,
      language: "en",
      keys,
      body,
    };
    const recipients = [this.secrets.recipient, keys.recipient];
    const note = sign(`${Buffer.from(encodeJson(value))}\n`, lies.key ?? `acme/${author}`);
    const sealed = await sealDocument(bytes(note), 4096, recipients);
    return { posting: this.posting(number, messageId(sealed), { day, ...lies }), sealed };
  }

  posting(number, message, { day, posted = day, office = "acme/office", ...lies }) {
    const charter = lies.postingCharter ?? this.newest;
    const numbered = `${number} ${lies.message ?? message}`;
    const named = `${charter.number} ${charter.hash}`;
    return sign(lines("reply", REALM, lies.manifest ?? this.manifest, numbered, named, `posted ${posted}`), office);
  }

  /** A thread note that names these replies, sealed; `changes` replace members of it. */
  async note(number = 1, { replies = [], oldest = 1, held = [], office = "acme/office", mailbox, ...changes } = {}) {
    const last = replies.length > 0 ? messageId(replies[replies.length - 1].sealed) : null;
    const value = {
      version: "amparo/v1/thread",
      realm: REALM,
      submission: this.submission,
      manifest: this.manifest,
      number,
      day: "2026-05-02",
      newest: { number: this.newest.number, charter: this.newest.hash },
      replies: { oldest, last: replies.length, message: last },
      held: { count: held.length, messages: base64(Buffer.from(held.join(""), "hex")) },
      renewal: null,
      ...changes,
    };
    const note = sign(`${Buffer.from(encodeJson(value))}\n`, office);
    return sealDocument(bytes(note), 16_384, [mailbox ?? this.secrets.recipient]);
  }

  acknowledgement({ manifest = this.manifest, submission = this.submission, key = "portal.example" } = {}) {
    return sign(lines("acknowledgement", REALM, submission, manifest, "3c".repeat(32), `received ${SENT}`, "not-logged"), key);
  }

  collection({ manifest = this.manifest, submission = this.submission, key = "acme/office" } = {}) {
    return sign(lines("collection", REALM, submission, manifest, `collected ${SENT}`), key);
  }

  newestNote({ charter = this.newest, slug = "acme", realm = REALM, day = VISITED, key = "acme/office", number, hash } = {}) {
    const named = `${number ?? charter.number} ${hash ?? charter.hash}`;
    return sign(lines("newest charter", realm, slug, named, `on ${day}`), key);
  }

  async keysOf(generation) {
    const recipient = await recipientOf(identityFromSeed(seedOf(`generation ${generation}`)));
    return { generation, recipient, message_mac: hex(seedOf(`key ${generation}`)) };
  }

  /** New keys of the thread, sealed to the mailbox, in base64 as a thread note has them. */
  async renewal(generation = 1, { author = "chiara", day = WRITTEN, ...lies } = {}) {
    const value = {
      version: "amparo/v1/renewal",
      submission: this.submission,
      manifest: lies.manifest ?? this.manifest,
      charter: (lies.charter ?? this.newest).hash,
      day,
      keys: await this.keysOf(generation),
    };
    const note = sign(`${Buffer.from(encodeJson(value))}\n`, `acme/${author}`);
    return base64(await sealDocument(bytes(note), 4096, [lies.mailbox ?? this.secrets.recipient]));
  }

  /** What the portal shows of the mailbox, without the state. */
  answer(replies = [], { thread = null, acknowledgement = this.acknowledgement(), collection = null } = {}) {
    return { state: new Uint8Array(0), acknowledgement, collection, thread, messages: replies, more: false };
  }

  /** What the reporter's device finds, when the portal shows these charters beside the answer. */
  read(answer, { state = this.state, newest = null, charters = this.charters } = {}) {
    const chain = readChain(state.realm, state.thread.charter, charters.map(({ signed }) => signed));
    return readMailbox(answer, state, this.secrets, chain, newest);
  }
}
