// SPDX-License-Identifier: AGPL-3.0-or-later
// A commission's public, signed, numbered document. docs/protocol.md §4.2.
//
// - Charter 1 is signed by at least k of the governors that it names itself.
// - Charter n + 1 is signed by k of its own governors and by k of those of charter n, whose hash it holds.

import { checkRecipient } from "./age.js";
import { Fields, readDocument } from "./document.js";
import { HASH_BYTES, ID_BYTES, decodeUtf8, encodeHex, encodeUtf8 } from "./encoding.js";
import { AuthenticationError, ProofError } from "./errors.js";
import { NOTE_BYTES_MAX, parseNote, parseVerifier, verifyNote } from "./note.js";
import { checkPublicTexts } from "./public-text.js";
import { readQuestionnaire, refuse, refuseRepeats } from "./questionnaire.js";

const SLOTS_MAX = 64;
const GOVERNORS_MAX = 32;
const OFFICE_KEYS_MAX = 16;
const LANGUAGES_MAX = 32;
const NAME_CHARS_MAX = 200;
const JURISDICTIONS_MAX = 300;
const SHARES_MAX = 16;
const DAYS_MAX = 3650;
const REPLY_DAYS_MIN = 30;
const NUMBER_MAX = 1_000_000;
const ATTACHMENTS_MAX = 32;
const ATTACHMENT_BYTES_MAX = 2 ** 31;

const SLUG = /^[a-z][a-z0-9-]{1,30}$/;
export const LABEL = /^[a-z][a-z0-9-]{0,30}$/;
export const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/;
const JURISDICTION = /^[A-Z][A-Z0-9-]{1,15}$/;
// As in RFC 6454 §6.2, without the default port of its scheme.
const ORIGIN = /^(?!http:.*:80$|https:.*:443$)https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$/;
const ROLE =
  /^(registrar|triage|investigator|legal|chair|publisher|custodian|auditor|reviewer|administrator)$/;
const ROLES_WITHOUT_CONTENT = ["auditor", "administrator"];
const ROLES_THAT_REPLY = ["registrar", "triage", "investigator", "chair"];

/**
 * @typedef {import("./note.js").VerifierKey} VerifierKey
 *
 * @typedef {object} Member a member from `from` to `until`, both included
 * @property {string} label
 * @property {string} name
 * @property {string[]} roles
 * @property {string} recipient `age1pq1…`
 * @property {VerifierKey} verifier
 * @property {string} from
 * @property {string | null} until
 *
 * @typedef {object} Charter
 * @property {string} hash
 * @property {import("./note.js").Note} note
 * @property {string} signed the note as it was read, with its signatures
 * @property {string} slug
 * @property {string} origin
 * @property {string} realm
 * @property {number} number
 * @property {string | null} previous
 * @property {VerifierKey} portal
 * @property {{ from: string, until: string }} valid
 * @property {{ threshold: number, keys: VerifierKey[] }} governors
 * @property {Member[]} members
 * @property {{ recipient: string, threshold: number, shares: number }} reserve
 * @property {number} slots
 * @property {VerifierKey[]} office
 * @property {string[]} urgency `age1pq1…`, of the offices: they read how urgent a report is, and nothing else
 * @property {{ id: string, number: number }} questionnaire
 * @property {{ attachments: number, attachmentBytes: number }} limits bytes of the file itself, before it is sealed
 */

/**
 * Read a charter's note and check its own rules and signatures.
 *
 * Not checked: the day, and that it continues the charter before it (`checkSuccessor`).
 *
 * @param {Uint8Array} bytes
 * @returns {Charter}
 */
export function readCharter(bytes) {
  const note = parseNote(bytes);
  const charter = { hash: note.hash, note, signed: decodeUtf8(bytes), ...readText(note.text) };
  checkRules(charter);
  checkSignatures(note, charter.governors);
  return charter;
}

/**
 * @param {Charter} previous
 * @param {Charter} following
 * @throws {ProofError | AuthenticationError} unless `following` is the charter after `previous`
 */
export function checkSuccessor(previous, following) {
  if (following.slug !== previous.slug || following.realm !== previous.realm) {
    throw new ProofError("the charter belongs to another commission");
  }
  if (following.number !== previous.number + 1 || following.previous !== previous.hash) {
    throw new ProofError("the charter does not continue the one before it");
  }
  checkSignatures(following.note, previous.governors);
}

/**
 * @param {Charter} charter
 * @param {string} day
 */
export function membersOn(charter, day) {
  // Days in this form sort as strings.
  return charter.members.filter(({ from, until }) => from <= day && (until === null || day <= until));
}

/**
 * The members on this day to whom reports are sealed: those with a role that sees content. docs/protocol.md §5.3.
 *
 * @param {Charter} charter
 * @param {string} day
 */
export function readersOn(charter, day) {
  return membersOn(charter, day).filter(isReader);
}

/** @param {Member} member */
export function isReader({ roles }) {
  return roles.some((role) => !ROLES_WITHOUT_CONTENT.includes(role));
}

/**
 * Whether one of the member's roles writes to reporters. docs/protocol.md §8.3.
 *
 * @param {Member} member
 */
export function mayReply({ roles }) {
  return roles.some((role) => ROLES_THAT_REPLY.includes(role));
}

/**
 * The member of this charter on this day who signed.
 *
 * @param {import("./note.js").Note} note
 * @param {Charter} charter
 * @param {string} day
 * @throws {AuthenticationError} when none did, or a signature is wrong
 */
export function verifyMember(note, charter, day) {
  const members = membersOn(charter, day);
  const keys = members.map(({ verifier }) => verifier);
  const [signer] = verifyNote(note, keys);
  return members[keys.indexOf(signer)];
}

/**
 * Labels of members, each once and in rising order.
 *
 * @param {Fields} fields
 * @param {string} name
 */
export function readLabels(fields, name) {
  const labels = readTexts(fields, name, SLOTS_MAX - 1, LABEL);
  refuse(labels.some((label, index) => index > 0 && labels[index - 1] > label));
  return labels;
}

/**
 * @param {Charter} charter
 * @param {string} day
 */
export function isInForce(charter, day) {
  return charter.valid.from <= day && day <= charter.valid.until;
}

/**
 * @param {import("./note.js").Note} note
 * @param {{ threshold: number, keys: VerifierKey[] }} governors
 */
function checkSignatures(note, governors) {
  if (verifyNote(note, governors.keys).length < governors.threshold) {
    throw new AuthenticationError("the charter is signed by too few governors");
  }
}

/** @param {string} text */
function readText(text) {
  const fields = readDocument(encodeUtf8(text.slice(0, -1)), "charter", NOTE_BYTES_MAX);
  checkPublicTexts(text.slice(0, -1));
  const languages = readTexts(fields, "languages", LANGUAGES_MAX, LANGUAGE);
  refuse(languages.length === 0);
  fields.translations("name", languages, NAME_CHARS_MAX);
  fields.translations("mandate", languages);
  readTexts(fields, "jurisdictions", JURISDICTIONS_MAX, JURISDICTION, true);
  const charter = {
    slug: fields.text("slug", SLUG),
    number: fields.integer("number", 1, NUMBER_MAX),
    previous: fields.optional("previous", () => fields.hex("previous", HASH_BYTES)),
    origin: fields.text("origin", ORIGIN, 300),
    realm: fields.hex("realm", ID_BYTES),
    portal: parseVerifier(fields.text("portal")),
    valid: readValid(fields.child("valid")),
    governors: readGovernors(fields.child("governors")),
    members: fields.items("members", SLOTS_MAX - 1, readMember),
    reserve: readReserve(fields.child("reserve")),
    slots: fields.integer("slots", 2, SLOTS_MAX),
    office: fields.texts("office", OFFICE_KEYS_MAX).map(parseVerifier),
    urgency: fields.texts("urgency", OFFICE_KEYS_MAX).map(checkRecipient),
    questionnaire: readQuestionnaire(fields.child("questionnaire"), languages),
    limits: readLimits(fields.child("limits")),
  };
  const retention = fields.child("retention");
  retention.integer("grace_days", 0, DAYS_MAX);
  retention.integer("reply_days", REPLY_DAYS_MIN, DAYS_MAX);
  retention.end();
  const options = fields.child("options");
  options.boolean("staffed_always");
  options.end();
  fields.end();
  return charter;
}

/**
 * Check the rules that concern more than one member of the object.
 *
 * @param {Charter} charter
 */
function checkRules({ slug, number, previous, origin, portal, valid, governors, members, reserve, slots, office, urgency }) {
  refuse((number === 1) !== (previous === null));
  refuse(valid.from > valid.until);
  refuse(members.length === 0 || office.length === 0 || urgency.length === 0 || slots < members.length + 1);
  checkThreshold(governors.threshold, governors.keys.length, members.length);
  checkThreshold(reserve.threshold, reserve.shares, members.length);
  refuse(members.some(({ from, until }) => until !== null && from > until));
  refuse(members.some(({ label, verifier }) => verifier.name !== `${slug}/${label}`));
  refuse(office.some(({ name }) => !name.startsWith(`${slug}/`) || !LABEL.test(name.slice(slug.length + 1))));
  refuse(portal.name !== origin.split("://")[1]);
  const verifiers = members.map(({ verifier }) => verifier);
  refuseRepeats([...verifiers, ...office].map(({ name }) => name));
  // A key counts once, under whatever name. A governor may be a member, but never a machine.
  refuseRepeats([...verifiers, ...office, portal].map(({ publicKey }) => encodeHex(publicKey)));
  refuseRepeats([...governors.keys, ...office, portal].map(({ publicKey }) => encodeHex(publicKey)));
  refuseRepeats([...members.map(({ recipient }) => recipient), reserve.recipient, ...urgency]);
}

/**
 * At least 2, of governors or of the reserve's shares; 1 of 1 in a commission of one member.
 *
 * @param {number} threshold
 * @param {number} of
 * @param {number} members
 */
function checkThreshold(threshold, of, members) {
  refuse(threshold > of || (threshold < 2 && (of !== 1 || members !== 1)));
}

/** @param {Fields} fields */
function readValid(fields) {
  const valid = { from: fields.day("from"), until: fields.day("until") };
  fields.end();
  return valid;
}

/** @param {Fields} fields */
function readGovernors(fields) {
  const keys = fields.texts("keys", GOVERNORS_MAX).map(parseVerifier);
  const threshold = fields.integer("threshold", 1, GOVERNORS_MAX);
  fields.end();
  return { threshold, keys };
}

/** @param {unknown} item */
function readMember(item) {
  const fields = new Fields(item);
  const member = {
    label: fields.text("label", LABEL),
    name: fields.text("name", /^[^\n]*$/, NAME_CHARS_MAX),
    roles: readTexts(fields, "roles", 10, ROLE),
    recipient: checkRecipient(fields.text("recipient")),
    verifier: parseVerifier(fields.text("verifier")),
    from: fields.day("from"),
    until: fields.optional("until", () => fields.day("until")),
  };
  fields.end();
  return member;
}

/** @param {Fields} fields */
function readReserve(fields) {
  const reserve = {
    recipient: checkRecipient(fields.text("recipient")),
    threshold: fields.integer("threshold", 1, SHARES_MAX),
    shares: fields.integer("shares", 1, SHARES_MAX),
  };
  fields.end();
  return reserve;
}

/** @param {Fields} fields */
function readLimits(fields) {
  const attachments = fields.integer("attachments", 0, ATTACHMENTS_MAX);
  const attachmentBytes = fields.integer("attachment_bytes", 0, ATTACHMENT_BYTES_MAX);
  fields.end();
  return { attachments, attachmentBytes };
}

/**
 * @param {Fields} fields
 * @param {string} name
 * @param {number} countMax
 * @param {RegExp} pattern
 * @param {boolean} [repeats] whether a text may occur twice
 */
function readTexts(fields, name, countMax, pattern, repeats = false) {
  const texts = fields.texts(name, countMax);
  refuse(texts.some((text) => !pattern.test(text)));
  if (!repeats) refuseRepeats(texts);
  return texts;
}
