// SPDX-License-Identifier: AGPL-3.0-or-later
// A second reader of what a reporter's device reads, written from docs/protocol.md and nothing else; reader.py in
// JavaScript. It imports node's standard library and npm age-encryption alone, and shares no line with static/src/.

import { createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { hkdfSync, pbkdf2Sync, verify } from "node:crypto";

import { Decrypter, identityToRecipient } from "../../static/node_modules/age-encryption/dist/index.js";

const JSON_DEPTH_MAX = 32;
const COUNT_MAX = 1_000_000;
const GENERATION_MAX = 1_000;
const EXCLUDED_MAX = 63;
const ATTACHMENTS_MAX = 32;
const MANIFEST_MAX = 64 << 10;
const NOTE_MAX = 1 << 20;
const SIGNATURES_MAX = 64;
const KEY_NAME_MAX = 255;
const STANZAS_MAX = 256;
const HEADER_MAX = 1 << 20;
const STATE_SIZE = 16_384;
const URGENCY_SIZE = 256;
const MESSAGE_FLOOR = 4_096;
const FOLLOW_UP_MAX = 60 << 10;
const BODY_MAX = 64 << 10;
const REPLY_MAX = 512 << 10;
const SENT_MAX = 100;
const THREADS_MAX = 8;

/** What a reader refuses; `name` is the kind, as the vectors call it. */
export class ReaderError extends Error {
  constructor(name, what, more = {}) {
    super(what);
    Object.assign(this, { name, ...more });
  }
}

function check(condition, what, kind = "MalformedError") {
  if (!condition) throw new ReaderError(kind, what);
}

/** What `run` gives, or malformed. */
function orMalformed(run, what) {
  try {
    return run();
  } catch (error) {
    if (error instanceof ReaderError) throw error;
    throw new ReaderError("MalformedError", what);
  }
}

// ---- section 1: conventions

const utf8 = (text) => Buffer.from(text, "utf8");
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const label = (name) => utf8(`amparo/v1/${name}\n`);

function decodeText(data) {
  return orMalformed(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data), "not UTF-8");
}

export function fromHex(text, size) {
  check(typeof text === "string" && text.length === 2 * size && /^[0-9a-f]*$/.test(text), "hex");
  return Buffer.from(text, "hex");
}

function fromBase64(text) {
  const data = Buffer.from(text, "base64");
  check(data.toString("base64") === text, "base64");
  return data;
}

export function encodeJson(value, depth = 0) {
  check(depth <= JSON_DEPTH_MAX, "nested too deep");
  if (Array.isArray(value)) return `[${value.map((each) => encodeJson(each, depth + 1)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const pairs = Object.keys(value).sort().map((name) => `${encodeJson(name)}:${encodeJson(value[name], depth + 1)}`);
    return `{${pairs.join(",")}}`;
  }
  if (typeof value === "string") check(value.isWellFormed(), "a lone surrogate");
  else check(value === null || typeof value === "boolean" || Number.isSafeInteger(value), "no such value");
  return JSON.stringify(value);
}

export function decodeJson(data, sizeMax) {
  check(data.length <= sizeMax, "too long", "LimitError");
  const text = decodeText(data);
  const value = orMalformed(() => JSON.parse(text), "no JSON");
  check(encodeJson(value) === text, "not canonical");
  return value;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** Exactly these members; each is checked in the order given. */
function checkObject(value, members) {
  const names = Object.keys(members);
  check(isObject(value) && Object.keys(value).length === names.length, "other members");
  check(names.every((name) => Object.hasOwn(value, name)), "other members");
  for (const name of names) members[name](value[name]);
}

function checkDocument(value, version, members) {
  check(isObject(value) && typeof value.version === "string", "no version");
  const kind = value.version.startsWith("amparo/") ? "UnsupportedVersionError" : "MalformedError";
  check(value.version === version, value.version, kind);
  checkObject(value, { version: () => {}, ...members });
}

const integer = (least, greatest) => (value) => {
  check(Number.isInteger(value), "not an integer");
  check(value >= least && value <= greatest, "out of range", "LimitError");
};
const hex = (size) => (value) => void fromHex(value, size);
const textLike = (pattern) => (value) => check(typeof value === "string" && pattern.test(value), String(pattern));

function day(value) {
  textLike(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/)(value);
  const at = new Date(`${value}T00:00:00Z`);
  check(!value.startsWith("0000") && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value), "no such day");
}

const list = (lengthMax, checkOne) => (value) => {
  check(Array.isArray(value), "not a list");
  check(value.length <= lengthMax, "too many", "LimitError");
  value.forEach(checkOne);
};

function excluded(value) {
  list(EXCLUDED_MAX, textLike(/^[a-z][a-z0-9-]{0,30}$/))(value);
  check(value.every((each, place) => place === 0 || value[place - 1] < each), "not in rising order");
}

const language = textLike(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/);

export function padme(size) {
  if (size < 2) return size;
  const exponent = Math.floor(Math.log2(size));
  const unit = 2 ** (exponent - Math.floor(Math.log2(exponent || 1)) - 1);
  return unit < 1 ? size : Math.ceil(size / unit) * unit;
}

export function pad(content, floor) {
  const padded = Buffer.alloc(padme(Math.max(4 + content.length, floor)));
  padded.writeUInt32BE(content.length);
  padded.set(content, 4);
  return padded;
}

export function unpad(padded, floor, contentMax) {
  check(padded.length >= 4, "no length");
  const size = Buffer.from(padded).readUInt32BE();
  check(size <= contentMax, "too long", "LimitError");
  const content = Buffer.from(padded.subarray(4, 4 + size));
  check(content.length === size && pad(content, floor).equals(padded), "padding");
  return content;
}

// ---- section 2: sealing

const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

function polymod(values) {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].forEach((generator, bit) => {
      if ((top >>> bit) & 1) checksum ^= generator;
    });
  }
  return checksum;
}

function bech32(prefix, data) {
  const bits = [...data].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const values = bits.match(/.{1,5}/g).map((five) => Number.parseInt(five.padEnd(5, "0"), 2));
  const codes = [...prefix].map((letter) => letter.charCodeAt(0));
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const checksum = polymod([...expanded, ...values, 0, 0, 0, 0, 0, 0]) ^ 1;
  const all = [...values, ...[25, 20, 15, 10, 5, 0].map((shift) => (checksum >>> shift) & 31)];
  return `${prefix}1${all.map((value) => BECH32[value]).join("")}`;
}

/** The 1 216 bytes of `age1pq1…`. */
export function recipientBytes(text) {
  check(typeof text === "string" && /^age1pq1[02-9ac-hj-np-z]{1952}$/.test(text), "no recipient");
  const bits = [...text.slice(7, -6)].map((letter) => BECH32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const data = Buffer.from(bits.slice(0, 8 * 1_216).match(/.{8}/g).map((eight) => Number.parseInt(eight, 2)));
  check(bech32("age1pq", data) === text, "no recipient");
  for (let at = 0; at < 1_152; at += 3) {
    const [low, high] = [data[at] | ((data[at + 1] & 15) << 8), (data[at + 1] >> 4) | (data[at + 2] << 4)];
    check(low < 3_329 && high < 3_329, "no recipient");
  }
  orMalformed(() => exchangeX25519(data.subarray(1_184)), "no recipient");
  return data;
}

function exchangeX25519(publicData) {
  const [ours, theirs] = ["302e020100300506032b656e04220420", "302a300506032b656e032100"];
  const secret = Buffer.concat([Buffer.from(ours, "hex"), Buffer.alloc(32)]);
  const shown = Buffer.concat([Buffer.from(theirs, "hex"), publicData]);
  diffieHellman({
    privateKey: createPrivateKey({ key: secret, format: "der", type: "pkcs8" }),
    publicKey: createPublicKey({ key: shown, format: "der", type: "spki" }),
  });
}

const recipient = (text) => void recipientBytes(text);
const identityText = (seed) => bech32("age-secret-key-pq-", seed).toUpperCase();

/** What a sealed file holds for the identity of this seed. */
export async function open(sealed, seed) {
  const header = Buffer.from(sealed.subarray(0, HEADER_MAX)).toString("latin1").split("\n---", 1)[0];
  const stanzas = header.split("\n").filter((line) => line.startsWith("-> "));
  check(stanzas.every((line) => line.startsWith("-> mlkem768x25519 ")), "another kind of stanza");
  check(stanzas.length <= STANZAS_MAX, "stanzas", "LimitError");
  const decrypter = new Decrypter();
  decrypter.addIdentity(identityText(seed));
  try {
    return await decrypter.decrypt(sealed, "uint8array");
  } catch (error) {
    const nobody = /no identity matched/.test(error.message);
    throw new ReaderError(nobody ? "NotARecipientError" : "AuthenticationError", error.message);
  }
}

// ---- section 3: receipt code

const DAMM = [
  "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
  "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
];
const ZEROS = `
0030 0660 06F0 07C0 0966 09E6 0A66 0AE6 0B66 0BE6 0C66 0CE6 0D66 0DE6 0E50 0ED0 0F20 1040 1090 17E0 1810 1946 19D0 1A80
1A90 1B50 1BB0 1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30 10D40 11066 110F0 11136 111D0 112F0 11450
114D0 11650 116C0 116D0 116DA 11730 118E0 11950 11BF0 11C50 11D50 11DA0 11DE0 11F50 16130 16A60 16AC0 16B50 16D70 1CCF0
1D7CE 1D7D8 1D7E2 1D7EC 1D7F6 1E140 1E2F0 1E4F0 1E5F1 1E950 1FBF0
`.trim().split(/\s+/).map((zero) => parseInt(zero, 16));
const WHITE_SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const MARKS = "\\xad\\u200b-\\u200f\\u202a-\\u202e\\u2060\\u2066-\\u2069\\u061c\\ufeff";
const PUNCTUATION =
  "\"'()*,./:;>\\[\\]_|«·»\\u060c\\u061b\\u066c\\u2010-\\u2015\\u2018-\\u201f\\u2022\\u2212\\u3001\\u3002\\uff08\\uff09\\uff0c-\\uff0e\\uff1a\\uff1b-";
const DIVIDER = new RegExp(`^[${WHITE_SPACE}${MARKS}${PUNCTUATION}]$`);
const NO_KEY_NAME = new RegExp(`[${WHITE_SPACE}\\x00-\\x1f+]`);

function groupCheck(group, four) {
  return [...`${group}${four}`].reduce((state, digit) => Number(DAMM[state][Number(digit)]), 0);
}

function wholeCheck(digits) {
  const value = [...digits].reduce((sum, digit) => (21 * (sum + Number(digit))) % 97, 0);
  return String(value).padStart(2, "0");
}

/** The 35 digits of 26 random ones. */
export function createCode(digits) {
  const fours = (digits + wholeCheck(digits)).match(/.{4}/g);
  return fours.map((four, place) => four + groupCheck(place + 1, four)).join("");
}

/** A digit, "divider" or "other". */
function kindOf(each) {
  const zero = ZEROS.find((from) => each.codePointAt(0) >= from && each.codePointAt(0) < from + 10);
  if (zero !== undefined) return String(each.codePointAt(0) - zero);
  return DIVIDER.test(each) ? "divider" : "other";
}

const isDigit = (character) => character !== undefined && character.kind.length === 1;

function withoutWords(characters) {
  const first = characters.findIndex(isDigit);
  const last = characters.findLastIndex(isDigit);
  if (first < 0) return characters;
  return characters.map((character, place) => {
    if (character.kind !== "other" || (place > first && place < last)) return character;
    let [start, end] = [place, place];
    while (characters[start - 1]?.kind === "other") start--;
    while (characters[end + 1]?.kind === "other") end++;
    const touches = isDigit(characters[start - 1]) || isDigit(characters[end + 1]);
    return end > start && !touches ? { each: " ", kind: "divider" } : character;
  });
}

function enter(characters, numbered) {
  const entered = [];
  for (const [place, { kind }] of characters.entries()) {
    if (kind === "divider") continue;
    const isDue = entered.length < 35 && kind === String(entered.length / 5 + 1);
    const [before, end, behind] = [characters[place - 1], characters[place + 1], characters[place + 2]];
    const stands = before === undefined || before.kind === "divider";
    if (numbered && isDue && stands && end && /^[).:）．：]$/.test(end.each) && !isDigit(behind)) continue;
    entered.push(kind === "other" ? "?" : kind);
  }
  return entered;
}

export function parseCode(text) {
  const refuse = (reason, groups) => {
    throw new ReaderError("ReceiptCodeError", reason, { reason, groups });
  };
  const kept = withoutWords([...text].map((each) => ({ each, kind: kindOf(each) })));
  let entered = enter(kept, false);
  if (entered.length !== 35) entered = enter(kept, true);
  const wrong = entered.flatMap((digit, place) => (digit === "?" ? [Math.min(Math.floor(place / 5) + 1, 7)] : []));
  if (wrong.length > 0) refuse("character", [...new Set(wrong)]);
  if (entered.length !== 35) refuse("length", []);
  const groups = entered.join("").match(/.{5}/g);
  const fits = (group, number) => groupCheck(number, group.slice(0, 4)) === Number(group[4]);
  const failed = groups.flatMap((group, place) => (fits(group, place + 1) ? [] : [place + 1]));
  if (failed.length > 0) refuse("group", failed);
  const whole = groups.map((group) => group.slice(0, 4)).join("");
  if (wholeCheck(whole.slice(0, 26)) !== whole.slice(26)) refuse("code", []);
  return groups.join("");
}

/** What the 35 digits of a code open at the portal of a realm. */
export async function derive(digits, realm) {
  check(/^[0-9]{35}$/.test(digits) && createCode(digits.replace(/(....)./g, "$1").slice(0, 26)) === digits, "no code");
  const salt = Buffer.concat([label("receipt"), fromHex(realm, 16)]);
  const master = pbkdf2Sync(digits, salt, 210_000, 32, "sha512");
  const names = ["mailbox-token", "mailbox-identity", "control-key", "message-mac", "leaf-nonce", "state-mac"];
  const keys = names.map((name) => Buffer.from(hkdfSync("sha256", master, "", `amparo/v1/${name}`, 32)));
  const [token, seed, controlSeed, messageMac, leafNonce, stateMac] = keys;
  const ours = await identityToRecipient(identityText(seed));
  const control = ed25519Public(controlSeed);
  return {
    mailbox_id: mailboxId(recipientBytes(ours), control, sha256(token)),
    token: token.toString("hex"),
    token_sha256: sha256(token).toString("hex"),
    mailbox_seed: seed.toString("hex"),
    recipient: ours,
    control_seed: controlSeed.toString("hex"),
    control: control.toString("hex"),
    message_mac: messageMac.toString("hex"),
    leaf_nonce: leafNonce.toString("hex"),
    state_mac: stateMac.toString("hex"),
  };
}

function ed25519Public(seed) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return key.export({ format: "der", type: "spki" }).subarray(-32);
}

function mailboxId(recipientData, control, tokenSha256) {
  return sha256(label("mailbox"), recipientData, control, tokenSha256).subarray(0, 16).toString("hex");
}

// ---- section 4: signed notes and charters

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const modulo = (value) => ((value % P) + P) % P;

function power(base, exponent) {
  let result = 1n;
  for (let bits = exponent, square = modulo(base); bits > 0n; bits >>= 1n, square = modulo(square * square)) {
    if (bits & 1n) result = modulo(result * square);
  }
  return result;
}

const inverse = (value) => power(value, P - 2n);
const D = modulo(-121665n * inverse(121666n));

/** In projective coordinates, so that only one inversion is needed. */
function add([x1, y1, z1], [x2, y2, z2]) {
  const [a, c, d] = [modulo(z1 * z2), modulo(x1 * x2), modulo(y1 * y2)];
  const b = modulo(a * a);
  const e = modulo(D * c * d);
  const [f, g] = [modulo(b - e), modulo(b + e)];
  return [modulo(a * f * ((x1 + y1) * (x2 + y2) - c - d)), modulo(a * g * (d + c)), modulo(f * g)];
}

const littleEndian = (data) => BigInt(`0x${Buffer.from(data).reverse().toString("hex")}`);

/** Whether these 32 bytes are the only encoding of a point of the main subgroup that is not zero (section 4.1). */
function isPoint(data) {
  const number = littleEndian(data);
  const [y, sign] = [number & ((1n << 255n) - 1n), number >> 255n];
  if (y >= P) return false;
  const square = modulo((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (modulo(x * x) !== square) x = modulo(x * power(2n, (P - 1n) / 4n));
  if (modulo(x * x) !== square || (x === 0n && sign === 1n)) return false;
  const isZero = x === 0n && y === 1n;
  let multiple = [0n, 1n, 1n];
  let point = [(x & 1n) === sign ? x : P - x, y, 1n];
  for (let bits = ORDER; bits > 0n; bits >>= 1n, point = add(point, point)) {
    if (bits & 1n) multiple = add(multiple, point);
  }
  return multiple[0] === 0n && multiple[1] === multiple[2] && !isZero;
}

export function verifyEd25519(publicKey, message, signature) {
  check(publicKey.length === 32 && isPoint(publicKey), "key");
  const formed = signature.length === 64 && isPoint(signature.subarray(0, 32));
  check(formed && littleEndian(signature.subarray(32)) < ORDER, "signature", "AuthenticationError");
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), publicKey]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  check(verify(null, message, key, signature), "signature", "AuthenticationError");
}

function checkKeyName(name) {
  check([...name].length <= KEY_NAME_MAX, "key name", "LimitError");
  check(name !== "" && !NO_KEY_NAME.test(name), "key name");
}

/** A verifier key. */
export function parseKey(text) {
  const [, name, id, encoded] = /^([^+]*)\+([^+]*)\+([^]*)$/.exec(text) ?? [];
  check(name !== undefined, "verifier key");
  checkKeyName(name);
  const [keyId, data] = [fromHex(id, 4), fromBase64(encoded)];
  check(data.length === 33 && data[0] === 1, "another type of key");
  check(sha256(utf8(`${name}\n`), data).subarray(0, 4).equals(keyId), "key id");
  check(isPoint(data.subarray(1)), "no point");
  return { name, key_id: id, public: data.subarray(1).toString("hex") };
}

function noteLines(data) {
  check(data.length <= NOTE_MAX, "too long", "LimitError");
  const note = decodeText(data);
  check(!/[\x00-\x09\x0b-\x1f]/.test(note), "control character");
  const divider = note.lastIndexOf("\n\n");
  check(divider >= 0 && note.length > divider + 2 && note.endsWith("\n"), "no signatures");
  const lines = note.slice(divider + 2, -1).split("\n");
  check(lines.length <= SIGNATURES_MAX, "too many signatures", "LimitError");
  const parsed = lines.map((line) => {
    const parts = line.split(" ");
    check(parts.length === 3 && parts[0] === "—", "signature line");
    checkKeyName(parts[1]);
    const blob = fromBase64(parts[2]);
    check(blob.length > 4, "signature line");
    return { key: `${parts[1]}+${blob.subarray(0, 4).toString("hex")}`, name: parts[1], signature: blob.subarray(4) };
  });
  check(new Set(parsed.map((each) => each.key)).size === parsed.length, "two lines by one key");
  return { text: note.slice(0, divider + 1), lines: parsed };
}

/** The text, and the names of the known keys that signed it, in the order of their lines. */
export function verifyNote(data, keys) {
  const { text, lines } = noteLines(data);
  const known = new Map(keys.map(parseKey).map((key) => [`${key.name}+${key.key_id}`, Buffer.from(key.public, "hex")]));
  const ours = lines.filter((line) => known.has(line.key));
  for (const line of ours) verifyEd25519(known.get(line.key), utf8(text), line.signature);
  check(ours.length > 0, "no known key signed", "AuthenticationError");
  return { text, signers: ours.map((line) => line.name) };
}

export const hashOf = (data) => sha256(Buffer.from(data)).toString("hex");

/** The members of a charter by as many governors of its own as it asks for; their values are not looked at further. */
export function readCharter(data) {
  const { text } = noteLines(data);
  const charter = oneLine(text);
  const { signers } = verifyNote(data, charter.governors.keys);
  check(signers.length >= charter.governors.threshold, "too few governors", "AuthenticationError");
  return { ...charter, hash: hashOf(utf8(text)) };
}

function oneLine(text, sizeMax = NOTE_MAX) {
  check(text.indexOf("\n") === text.length - 1, "more than one line");
  return decodeJson(utf8(text.slice(0, -1)), sizeMax);
}

function membersInForce(charter, on) {
  return charter.members.filter(({ from, until }) => from <= on && on <= (until ?? "9999-12-31"));
}

// ---- section 5.4: state

const KEYS = { generation: integer(0, GENERATION_MAX), recipient, message_mac: hex(32) };
const checkKeys = (keys) => checkObject(keys, KEYS);
const THREAD = {
  submission: hex(16),
  manifest: hex(32),
  charter: hex(32),
  excluded,
  keys: checkKeys,
  note: integer(0, COUNT_MAX),
  reply: integer(0, COUNT_MAX),
  deleted: integer(0, COUNT_MAX),
  sent: checkSent,
};

function checkSent(sent) {
  const last = list(SENT_MAX, (each) => checkObject(each, { id: hex(16), day }));
  checkObject(sent, { count: integer(0, COUNT_MAX), last });
  check(sent.last.length <= sent.count, "more than were sent");
}

function checkThreads(threads) {
  list(THREADS_MAX, () => {})(threads);
  check(threads.length > 0, "no thread");
  check(threads.length === 1, "several threads", "UnsupportedVersionError");
  checkObject(threads[0], THREAD);
}

function macOf(key, value) {
  const { mac, ...rest } = value;
  return createHmac("sha256", fromHex(key, 32)).update(encodeJson(rest), "utf8").digest("hex");
}

const withMac = (key, value) => utf8(encodeJson({ ...value, mac: macOf(key, value) }));

function withoutMac(key, value) {
  check(macOf(key, value) === value.mac, "mac", "AuthenticationError");
  const { mac, version, ...rest } = value;
  return rest;
}

export const encodeState = (state, key) => withMac(key, { version: "amparo/v1/state", ...state });

export function readState(content, key) {
  const state = decodeJson(content, STATE_SIZE - 4);
  const newest = (value) => checkObject(value, { number: integer(1, COUNT_MAX), charter: hex(32) });
  checkDocument(state, "amparo/v1/state", { realm: hex(16), threads: checkThreads, newest, mac: hex(32) });
  return withoutMac(key, state);
}

export async function openState(sealed, seed, key) {
  return readState(unpad(await open(sealed, seed), STATE_SIZE, STATE_SIZE - 4), key);
}

export function readUrgency(content, submission) {
  const urgency = decodeJson(content, URGENCY_SIZE - 4);
  checkDocument(urgency, "amparo/v1/urgency", { submission: hex(16), level: textLike(/^(now|soon|none)$/) });
  check(urgency.submission === submission, "of another submission", "AuthenticationError");
  return urgency.level;
}

export async function openUrgency(sealed, seed, submission) {
  return readUrgency(unpad(await open(sealed, seed), URGENCY_SIZE, URGENCY_SIZE - 4), submission);
}

// ---- section 6: manifest

const FILE_MAX = { "report.age": 2 << 20, "grant.age": 256 << 10, "urgency.age": 32 << 10 };

export function readManifest(data) {
  const manifest = decodeJson(data, MANIFEST_MAX);
  checkDocument(manifest, "amparo/v1/manifest", {
    submission: hex(16),
    charter: hex(32),
    mailbox: hex(16),
    recipient,
    control: (value) => check(isPoint(fromHex(value, 32)), "V"),
    token_sha256: hex(32),
    files: checkFiles,
  });
  const [control, token] = [fromHex(manifest.control, 32), fromHex(manifest.token_sha256, 32)];
  check(mailboxId(recipientBytes(manifest.recipient), control, token) === manifest.mailbox, "another mailbox");
  return manifest;
}

function checkFiles(files) {
  list(3 + ATTACHMENTS_MAX, () => {})(files);
  check(files.length >= 3, "no report, no grant or no urgency");
  files.forEach((each, place) => {
    const expected = ["report.age", "grant.age", "urgency.age"][place] ?? `attachment-${place - 2}.age`;
    const name = (value) => check(value === expected, "file name");
    checkObject(each, { name, size: integer(1, FILE_MAX[expected] ?? 2 ** 31), sha256: hex(32) });
  });
}

export function commitment(leafNonce, manifestHash) {
  return sha256(label("leaf"), fromHex(leafNonce, 32), fromHex(manifestHash, 32)).toString("hex");
}

// ---- section 9: messages

const messageId = (sealed) => sha256(sealed).subarray(0, 16).toString("hex");

function checkBody(value) {
  check(typeof value === "string", "no text");
  check(utf8(value).length <= BODY_MAX, "too long", "LimitError");
}

/** The members of a reply and its signer's label; `charters` by hash. */
export function readReply(content, charters) {
  const reply = oneLine(noteLines(content).text, REPLY_MAX);
  checkDocument(reply, "amparo/v1/reply", {
    submission: hex(16),
    manifest: hex(32),
    charter: hex(32),
    day,
    language,
    keys: checkKeys,
    body: checkBody,
  });
  const charter = charters.get(reply.charter);
  check(charter !== undefined, "a charter that is not known", "AuthenticationError");
  const keys = membersInForce(charter, reply.day).map((each) => each.verifier);
  const [signer] = verifyNote(content, keys).signers;
  const { version, ...rest } = reply;
  return { ...rest, signer: signer.slice(signer.lastIndexOf("/") + 1) };
}

export async function openReply(sealed, seed, charters) {
  const reply = readReply(unpad(await open(sealed, seed), MESSAGE_FLOOR, REPLY_MAX), charters);
  return { ...reply, id: messageId(sealed) };
}

export const encodeFollowUp = (followUp, key) => withMac(key, { version: "amparo/v1/follow-up", ...followUp });

export function readFollowUp(content, key) {
  const followUp = decodeJson(content, FOLLOW_UP_MAX);
  checkDocument(followUp, "amparo/v1/follow-up", {
    submission: hex(16),
    manifest: hex(32),
    number: integer(1, COUNT_MAX),
    day,
    kind: textLike(/^(message|retaliation|instruction)$/),
    generation: integer(0, GENERATION_MAX),
    body: (value) => check(typeof value === "string", "no text"),
    mac: hex(32),
  });
  return withoutMac(key, followUp);
}

export async function openFollowUp(sealed, seed, key) {
  return { ...readFollowUp(unpad(await open(sealed, seed), MESSAGE_FLOOR, FOLLOW_UP_MAX), key), id: messageId(sealed) };
}
