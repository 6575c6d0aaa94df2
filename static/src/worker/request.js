// SPDX-License-Identifier: AGPL-3.0-or-later
// One request to the portal and its answer, over a network that fails. docs/protocol.md §7.3, §7.4, §8.

import { readBody } from "../formats/body.js";
import { encodeBase64 } from "../formats/encoding.js";
import { PortalError } from "../formats/portal-error.js";
import { readAskedWork } from "../formats/work.js";

// A request may take this long, plus the time for its body at 5 bytes a millisecond.
const TIMEOUT_MS = 120_000;
const SLOWEST_BYTES_PER_MS = 5;
// The longest pause that the portal may ask for.
export const DELAY_MS_MAX = 30_000;
// Of an answer that is no mailbox and no chain of charters. A list of 1,024 parts is the longest.
const ANSWER_BYTES_MAX = 262_144;
const REFUSAL_BYTES_MAX = 16_384;
// Of the codes of docs/protocol.md §7.3 those by which a reporter's device does something else, by the method of the request.
// It takes no other word from an answer: a portal could make it say what only the device can know.
/** @type {Record<string, string[] | undefined>} */
const REFUSALS = { GET: ["charter-unknown", "not-found"], POST: ["damaged", "mailbox-full", "state-conflict"] };

/**
 * @typedef {import("../formats/encoding.js").Bytes} Bytes
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {string} [type]
 * @property {Bytes} [body]
 * @property {Uint8Array} [digest] SHA-256 of the body
 * @property {number} [answerMax] bytes of its answer
 * @property {number} [patience] milliseconds, beside the time for its body
 * @property {boolean} [isWrite] whether a portal under pressure may ask for work, docs/protocol.md §7.4
 * @property {string} [work] that was done for it
 * @property {AskedWork | null} [asked] with which it was refused
 * @property {number} [failures] of it until now
 * @property {(date: string | null) => void} [onDate] is told the Date header of an answer
 * @typedef {import("../formats/work.js").AskedWork} AskedWork
 *
 * @typedef {"offline" | "busy" | "full" | "work"} TroubleKind
 */

/** A temporary failure: the network is away, the portal is busy or full, or asks for work first. */
export class Trouble extends Error {
  /**
   * @param {TroubleKind} kind
   * @param {number} [delay] milliseconds that the portal asks for
   * @param {AskedWork | null} [asked] the work that it asks for
   */
  constructor(kind, delay = 0, asked) {
    super(kind);
    this.kind = kind;
    this.delay = delay;
    this.asked = asked;
  }
}

/**
 * @param {typeof globalThis.fetch} fetch
 * @param {string} base address that the request's path follows
 * @param {Request} request
 * @returns {Promise<Bytes>} body of a successful answer
 * @throws {Trouble | PortalError}
 */
export async function sendRequest(fetch, base, { method, path, type, body, digest, work, answerMax = ANSWER_BYTES_MAX, patience = TIMEOUT_MS, onDate }) {
  const stop = new AbortController();
  const timeout = patience + Math.ceil((body?.length ?? 0) / SLOWEST_BYTES_PER_MS);
  const timer = setTimeout(() => stop.abort(), timeout);
  /** @type {RequestInit} */
  const init = {
    method,
    body,
    headers: {
      ...(type ? { "Content-Type": type } : {}),
      ...(digest ? { "Content-Digest": `sha-256=:${encodeBase64(digest)}:` } : {}),
      ...(work ? { "Amparo-Work": work } : {}),
    },
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: stop.signal,
  };
  let response, answer;
  try {
    response = await fetch(base + path, init);
    onDate?.(response.headers.get("Date"));
    answer = await readBody(response, response.ok ? answerMax : REFUSAL_BYTES_MAX);
  } catch {
    // All failures of the network look the same to a script.
    throw new Trouble("offline");
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw readRefusal(method, response, answer);
  if (!answer) throw new PortalError("unexpected-answer");
  return answer;
}

/**
 * @param {string} method
 * @param {Response} response
 * @param {Uint8Array | null} answer
 */
function readRefusal(method, response, answer) {
  const { status } = response;
  let code, asked;
  try {
    const refusal = readJson(/** @type {Uint8Array} */ (answer));
    code = readText(refusal.error.code);
    asked = readAskedWork(refusal);
  } catch {
    // Most refusals ask for no work, and some are not the portal's.
  }
  if (status >= 500) {
    const kind = status === 507 ? "full" : asked ? "work" : "busy";
    return new Trouble(kind, readDelay(response.headers.get("Retry-After")), asked);
  }
  // Whoever stands in between has answered.
  if (!code) return new Trouble("busy");
  return new PortalError(REFUSALS[method]?.includes(code) ? code : "unexpected-answer");
}

/** @param {string | null} seconds */
function readDelay(seconds) {
  const delay = Number(seconds) * 1000;
  return delay > 0 ? Math.min(delay, DELAY_MS_MAX) : 0;
}

/**
 * @param {string} path
 * @param {unknown} value
 * @returns {Request}
 */
export function jsonRequest(path, value) {
  const body = /** @type {Bytes} */ (new TextEncoder().encode(JSON.stringify(value)));
  return { method: "POST", path, type: "application/json", body };
}

/**
 * @param {Uint8Array} answer
 * @returns {any}
 */
export function readJson(answer) {
  return JSON.parse(new TextDecoder().decode(answer));
}

/** @param {unknown} value */
export function readText(value) {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

/**
 * @param {unknown} value
 * @returns {any[]}
 */
export function readList(value) {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value;
}
