// SPDX-License-Identifier: AGPL-3.0-or-later
// Talking to the portal over a network that fails. docs/protocol.md §7, §8.
//
// Whatever looks like a passing trouble is tried again for ever: the same request, which the portal takes once. Before
// a part is sent again the portal is asked whether it holds it, so that a lost answer costs no second upload.

import { encodeBase64, encodeHex } from "./formats/encoding.js";
import { parseNote } from "./formats/note.js";
import { PortalError } from "./portal-error.js";

export const PART_BYTES = 4 * 1024 * 1024;
const PARTS_IN_FLIGHT_MAX = 2;
const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 30_000;
// A request may take this long, and longer for what it carries, down to 5 bytes a millisecond.
const TIMEOUT_MS_MIN = 120_000;
const SLOWEST_BYTES_PER_MS = 5;
export const MAILBOX_STEP_BYTES = 65_536;

/**
 * @typedef {import("./formats/encoding.js").Bytes} Bytes
 *
 * @typedef {object} Surroundings what a test replaces
 * @property {typeof globalThis.fetch} fetch
 * @property {(delay: number) => Promise<void>} sleep milliseconds; may end early when the network is back
 * @property {() => number} random from 0 to 1
 *
 * @typedef {{ method: string, path: string, type?: string, body?: Bytes, digest?: Bytes }} Request
 * @typedef {{ file: string, index: number, sha256: string }} StoredPart
 */

/** Something that passes: the network is away, or the portal has no time. */
class Trouble extends Error {
  /**
   * @param {"offline" | "busy"} kind
   * @param {number} [delay] milliseconds that the portal asks for
   */
  constructor(kind, delay = 0) {
    super(kind);
    this.kind = kind;
    this.delay = delay;
  }
}

/** The portal's interface under `/api/v1`. */
export class Portal {
  #base;
  #surroundings;
  #report;
  /** @type {"offline" | "busy" | null} */
  #trouble = null;

  /**
   * @param {string} base origin of the portal, or nothing for that of the page
   * @param {Surroundings} surroundings
   * @param {{ onTrouble?: (kind: "offline" | "busy") => void, onCalm?: () => void }} report
   */
  constructor(base, surroundings, report = {}) {
    this.#base = `${base}/api/v1/`;
    this.#surroundings = surroundings;
    this.#report = report;
  }

  /** The device has noticed that its network is gone, before a request has. */
  noteOffline() {
    this.#setTrouble("offline");
  }

  /**
   * @param {string} submission
   * @param {string} file
   * @param {number} index
   * @param {Bytes} bytes
   */
  async putPart(submission, file, index, bytes) {
    const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes));
    const path = `uploads/${submission}/${file}/${index}`;
    await this.#persist(async (isRepeat) => {
      if (isRepeat && (await this.#holdsPart(submission, file, index, encodeHex(digest)))) return;
      await this.#once({ method: "PUT", path, type: "application/octet-stream", body: bytes, digest });
    });
  }

  /**
   * @param {Bytes} bundle
   * @param {string} type
   * @returns {Promise<string>} the acknowledgement, not verified
   */
  async postBundle(bundle, type) {
    const request = { method: "POST", path: "submissions", type, body: bundle };
    return this.#ask(request, (answer) => readText(readJson(answer).acknowledgement));
  }

  /**
   * @param {unknown} value
   * @returns {Promise<Bytes>}
   */
  async postMailbox(value) {
    return this.#ask(jsonRequest("mailbox", value), (answer) => {
      if (answer.length === 0 || answer.length % MAILBOX_STEP_BYTES !== 0) throw new TypeError("not a mailbox");
      return answer;
    });
  }

  /** @param {unknown} value */
  async postFollowUp(value) {
    await this.#ask(jsonRequest("mailbox/follow-ups", value), (answer) => readText(readJson(answer).status));
  }

  /**
   * @param {string} hash
   * @returns {Promise<Bytes>} a note, not verified
   */
  async getCharter(hash) {
    return this.#ask({ method: "GET", path: `charters/${hash}` }, (answer) => {
      parseNote(answer);
      return answer;
    });
  }

  /**
   * @param {string} hash
   * @returns {Promise<string[]>} notes
   */
  async getSuccessors(hash) {
    const request = { method: "GET", path: `charters/${hash}/successors` };
    return this.#ask(request, (answer) => readList(readJson(answer).charters).map(readText));
  }

  /**
   * @param {string} submission
   * @param {string} file
   * @param {number} index
   * @param {string} sha256
   */
  async #holdsPart(submission, file, index, sha256) {
    const request = { method: "GET", path: `uploads/${submission}` };
    try {
      const parts = await this.#attempt(request, (answer) => readList(readJson(answer).parts));
      return parts.some((part) => part.file === file && part.index === index && part.sha256 === sha256);
    } catch (error) {
      // The portal knows no upload of this name until it has stored its first part.
      if (error instanceof PortalError && error.code === "not-found") return false;
      throw error;
    }
  }

  /**
   * @template T
   * @param {Request} request
   * @param {(answer: Bytes) => T} read
   */
  #ask(request, read) {
    return this.#persist(() => this.#attempt(request, read));
  }

  /**
   * @template T
   * @param {Request} request
   * @param {(answer: Bytes) => T} read
   */
  async #attempt(request, read) {
    const answer = await this.#once(request);
    try {
      return read(answer);
    } catch {
      // Not the portal's answer: a hotel's or a provider's page stands between.
      throw new Trouble("offline");
    }
  }

  /**
   * @template T
   * @param {(isRepeat: boolean) => Promise<T>} attempt
   * @returns {Promise<T>}
   */
  async #persist(attempt) {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt(failures > 0);
        this.#setTrouble(null);
        return result;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        this.#setTrouble(error.kind);
        await this.#surroundings.sleep(Math.max(error.delay, this.#delay(failures)));
      }
    }
  }

  /**
   * Doubling, with jitter so that those who were cut off together do not come back together.
   *
   * @param {number} failures
   */
  #delay(failures) {
    const ceiling = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** failures);
    return ceiling * (0.5 + this.#surroundings.random() / 2);
  }

  /** @param {"offline" | "busy" | null} kind */
  #setTrouble(kind) {
    if (kind === this.#trouble) return;
    this.#trouble = kind;
    if (kind) this.#report.onTrouble?.(kind);
    else this.#report.onCalm?.();
  }

  /**
   * @param {Request} request
   * @returns {Promise<Bytes>} body of an answer of success
   * @throws {Trouble | PortalError}
   */
  async #once({ method, path, type, body, digest }) {
    const timeout = TIMEOUT_MS_MIN + Math.ceil((body?.length ?? 0) / SLOWEST_BYTES_PER_MS);
    /** @type {RequestInit} */
    const init = {
      method,
      body,
      headers: {
        ...(type ? { "Content-Type": type } : {}),
        ...(digest ? { "Content-Digest": `sha-256=:${encodeBase64(digest)}:` } : {}),
      },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(timeout),
    };
    let response, answer;
    try {
      response = await this.#surroundings.fetch(this.#base + path, init);
      answer = new Uint8Array(await response.arrayBuffer());
    } catch {
      // Every way in which a network fails looks the same to script.
      throw new Trouble("offline");
    }
    if (!response.ok) throw readRefusal(response, answer);
    return answer;
  }
}

/** Cuts sealed files into parts and sends them, two at a time. */
export class PartSender {
  #portal;
  #submission;
  #onSent;
  /** @type {Set<Promise<void>>} */
  #flying = new Set();
  #sent = 0;

  /**
   * @param {Portal} portal
   * @param {string} submission
   * @param {(sent: number) => void} onSent sealed bytes that the portal holds, of all files
   */
  constructor(portal, submission, onSent) {
    this.#portal = portal;
    this.#submission = submission;
    this.#onSent = onSent;
  }

  /**
   * Send a file while it is being sealed. At most three parts are in memory.
   *
   * @param {string} file
   * @param {ReadableStream<Uint8Array>} sealed
   * @param {(chunk: Uint8Array) => void} onChunk
   */
  async send(file, sealed, onChunk) {
    const reader = sealed.getReader();
    let part = new Uint8Array(PART_BYTES);
    let used = 0;
    let index = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      onChunk(step.value);
      for (let chunk = step.value; chunk.length > 0; ) {
        const taken = chunk.subarray(0, PART_BYTES - used);
        part.set(taken, used);
        used += taken.length;
        chunk = chunk.subarray(taken.length);
        if (used < PART_BYTES) continue;
        await this.#launch(file, index++, part);
        part = new Uint8Array(PART_BYTES);
        used = 0;
      }
    }
    if (used > 0) await this.#launch(file, index, part.slice(0, used));
  }

  /** Wait until all that was launched is stored. */
  async finish() {
    while (this.#flying.size > 0) await Promise.race(this.#flying);
  }

  /**
   * @param {string} file
   * @param {number} index
   * @param {Bytes} part
   */
  async #launch(file, index, part) {
    while (this.#flying.size >= PARTS_IN_FLIGHT_MAX) await Promise.race(this.#flying);
    const flight = this.#portal.putPart(this.#submission, file, index, part).then(() => {
      this.#flying.delete(flight);
      this.#sent += part.length;
      this.#onSent(this.#sent);
    });
    this.#flying.add(flight);
    // A failed flight stays among the flying ones, where the next wait finds it.
    flight.catch(() => {});
  }
}

/**
 * @param {Response} response
 * @param {Uint8Array} answer
 */
function readRefusal(response, answer) {
  const { status } = response;
  if (status >= 500) return new Trouble("busy", readDelay(response.headers.get("Retry-After")));
  try {
    return new PortalError(readText(readJson(answer).error.code), status, status === 429);
  } catch {
    return new Trouble("offline");
  }
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
function jsonRequest(path, value) {
  const body = /** @type {Bytes} */ (new TextEncoder().encode(JSON.stringify(value)));
  return { method: "POST", path, type: "application/json", body };
}

/**
 * @param {Uint8Array} answer
 * @returns {any}
 */
function readJson(answer) {
  return JSON.parse(new TextDecoder().decode(answer));
}

/** @param {unknown} value */
function readText(value) {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

/**
 * @param {unknown} value
 * @returns {any[]}
 */
function readList(value) {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value;
}
