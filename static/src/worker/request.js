// SPDX-License-Identifier: AGPL-3.0-or-later
// One request to the portal and its answer, over a network that fails. docs/protocol.md §7.3, §7.4, §8.

import { readBody } from "../formats/body.js";
import { encodeBase64 } from "../formats/encoding.js";
import { PortalError } from "../formats/portal-error.js";
import { readAskedWork } from "../formats/work.js";
import { SILENCE_MS } from "./line.js";

// A line so slow that the last bytes are long under way where no script sees them has longer with each try, so often.
const LONGER_MAX = 2;
// The longest pause that the portal may ask for.
export const DELAY_MS_MAX = 30_000;
// Of an answer that is no mailbox and no chain of charters. A list of 1,024 parts is the longest.
const ANSWER_BYTES_MAX = 262_144;
const REFUSAL_BYTES_MAX = 16_384;
// Of the codes of docs/protocol.md §7.3 those by which a reporter's device does something else, by the method of the request.
// It takes no other word from an answer: a portal could make it say what only the device can know.
/** @type {Record<string, string[] | undefined>} */
const REFUSALS = {
  GET: ["charter-unknown", "not-found"],
  PUT: ["already-accepted", "part-conflict"],
  DELETE: ["already-accepted"],
  POST: ["damaged", "file-hash-mismatch", "file-missing", "file-size-mismatch", "mailbox-full", "state-conflict", "submission-conflict"],
};

/**
 * @typedef {import("../formats/encoding.js").Bytes} Bytes
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {string} [type]
 * @property {Bytes} [body]
 * @property {Uint8Array} [digest] SHA-256 of the body
 * @property {number} [answerMax] bytes of its answer
 * @property {number} [silence] milliseconds in which nothing of it moves, after which it is given up
 * @property {boolean} [isWrite] whether a portal under pressure may ask for work, docs/protocol.md §7.4
 * @property {string} [work] that was done for it
 * @property {AskedWork | null} [asked] with which it was refused
 * @property {number} [failures] of it until now
 * @property {(date: string | null) => void} [onDate] is told the Date header of an answer
 * @typedef {import("../formats/work.js").AskedWork} AskedWork
 *
 * @typedef {"offline" | "still" | "busy" | "foreign" | "full" | "work"} TroubleKind
 */

/** A temporary failure: no connection, or one that stands still; the portal is busy or full, asks for work first, or somebody else has answered. */
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
 * @param {typeof import("./upload.js").fetchWatched} fetch
 * @param {string} base address that the request's path follows
 * @param {Request} request
 * @param {import("./line.js").Line} line
 * @returns {Promise<Bytes>} body of a successful answer
 * @throws {Trouble | PortalError}
 */
export async function sendRequest(fetch, base, request, line) {
  const { method, path, type, body, digest, work, answerMax = ANSWER_BYTES_MAX, silence = SILENCE_MS, failures = 0, onDate } = request;
  const stop = new AbortController();
  const watch = line.watch(() => stop.abort(), silence * 2 ** Math.min(failures, LONGER_MAX));
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
    // Not followed; whoever sends a request on to a page of its own has answered it.
    redirect: "manual",
    referrerPolicy: "no-referrer",
    signal: stop.signal,
  };
  let response, answer;
  try {
    response = await fetch(base + path, init, watch.move);
    watch.move();
    onDate?.(response.headers.get("Date"));
    answer = await readBody(response, response.ok ? answerMax : REFUSAL_BYTES_MAX, watch.move);
  } catch {
    // All failures of the network look the same to a script.
    throw new Trouble(stop.signal.aborted ? "still" : "offline");
  } finally {
    watch.end();
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
  let code = "";
  let asked;
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
  if (!code) return new Trouble("foreign");
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
