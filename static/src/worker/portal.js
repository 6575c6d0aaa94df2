// SPDX-License-Identifier: AGPL-3.0-or-later
// The requests of the reporter's device to the portal. docs/protocol.md §7. Those to a mailbox are in mailbox-portal.js.
//
// Before a part is sent again the portal is asked whether it is stored, so that a lost answer costs no second upload; one
// that a line did not carry to its end goes in halves, so that the next cut costs less.

import { sha256 } from "@noble/hashes/sha2.js";
import { encodeHex, formatDay } from "../formats/encoding.js";
import { PortalError } from "../formats/portal-error.js";
import { systemRandom } from "../formats/random.js";
import { doWork, readAskedWork } from "../formats/work.js";
import { Line } from "./line.js";
import { Trouble, readJson, readList, readText, sendRequest } from "./request.js";
import { Retry } from "./retry.js";

// Of a commission: docs/protocol.md §10.
const CHAIN_BYTES_MAX = 10 * 1024 * 1024;
const CHARTERS_MAX = 1000;
// Parts begin at a multiple of it: docs/protocol.md §7.1.
export const BLOCK_BYTES = 65_536;

/**
 * @typedef {import("../formats/encoding.js").Bytes} Bytes
 * @typedef {import("./request.js").Request} Request
 * @typedef {import("./retry.js").Pauses & { fetch: typeof import("./upload.js").fetchWatched }} Environment replaced in tests
 */

/** The portal's interface under `/api/v1`. */
export class Portal {
  #base;
  #fetch;
  #retry;
  #line;
  /** Whether the portal has asked for work, and not said since that it asks no more. */
  #isPressed = false;
  /** Whether no part has arrived since a line broke, or stood still for long. */
  #wasCut = false;
  /** When the newest of those that go alone has ended. */
  #alone = Promise.resolve();

  /**
   * @param {string} base origin of the portal, or empty for that of the page
   * @param {Environment} environment
   * @param {import("./retry.js").OnTrouble} [onTrouble]
   */
  constructor(base, environment, onTrouble) {
    this.#base = `${base}/api/v1/`;
    this.#fetch = environment.fetch;
    this.#retry = new Retry(environment, onTrouble);
    this.#line = new Line(
      () => this.#retry.note("still"),
      () => this.#retry.moved(),
    );
  }

  /** Whether each part costs a calculation, so that few large ones are better. */
  get isPressed() {
    return this.#isPressed;
  }

  /** The device has noticed that its network is gone before a request failed. */
  noteOffline() {
    this.#retry.note("offline");
  }

  /**
   * @param {string} submission
   * @param {string} file
   * @param {number} block in which the part begins
   * @param {Bytes} bytes
   */
  async putPart(submission, file, block, bytes) {
    const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes));
    const path = `uploads/${submission}/${file}/${block}`;
    const request = { method: "PUT", path, type: "application/octet-stream", body: bytes, digest, isWrite: true };
    const isThere = () => this.#holdsPart(submission, file, block, encodeHex(digest));
    const half = Math.ceil(bytes.length / 2 / BLOCK_BYTES);
    let wasCut = false;
    await this.#retry.run(async (failures) => {
      if (failures > 0 && (await isThere())) return;
      try {
        if (!wasCut || bytes.length <= BLOCK_BYTES) return await this.#sendPart(request);
        await this.putPart(submission, file, block, bytes.slice(0, half * BLOCK_BYTES));
        await this.putPart(submission, file, block + half, bytes.slice(half * BLOCK_BYTES));
      } catch (error) {
        // A proxy's limit refuses what is large; a portal that is busy or full minds no size.
        wasCut ||= isCut(error) || (error instanceof Trouble && error.kind === "foreign");
        if (!(error instanceof PortalError) || error.code !== "part-conflict") throw error;
        // What was given up may have arrived whole, and be in the way of its halves.
        if (failures === 0 || !(await isThere())) throw new PortalError("unexpected-answer");
      }
    });
  }

  /**
   * Have the portal delete what came of a submission that it has not accepted.
   *
   * @param {string} submission
   * @throws {PortalError} `already-accepted`
   */
  dropUpload(submission) {
    return this.ask({ method: "DELETE", path: `uploads/${submission}` }, (answer) => readText(readJson(answer).status));
  }

  /**
   * @param {Bytes} bundle
   * @param {string} type
   * @returns {Promise<string>} the acknowledgement, not verified
   */
  async postBundle(bundle, type) {
    const request = { method: "POST", path: "submissions", type, body: bundle, isWrite: true };
    return this.ask(request, (answer) => readText(readJson(answer).acknowledgement));
  }

  /** @param {string} hash */
  getSuccessors(hash) {
    return this.getCharters(`charters/${hash}/successors`);
  }

  /**
   * @protected
   * @param {string} path
   * @returns {Promise<{ charters: string[], newest: string | null, day: string | null }>} notes, not verified; `day` by the
   *   portal's clock, if it tells one
   */
  getCharters(path) {
    /** @type {string | null} */
    let day = null;
    const onDate = (/** @type {string | null} */ date) => {
      const time = Date.parse(date ?? "");
      day = time >= 0 ? formatDay(new Date(time)) : null;
    };
    const request = { method: "GET", path, answerMax: CHAIN_BYTES_MAX, onDate };
    return this.ask(request, (answer) => {
      const { charters, newest } = readJson(answer);
      if (charters.length > CHARTERS_MAX) throw new PortalError("unexpected-answer");
      return { charters: readList(charters).map(readText), newest: newest === null ? null : readText(newest), day };
    });
  }

  /**
   * @param {string} submission
   * @param {string} file
   * @param {number} block
   * @param {string} sha256
   */
  async #holdsPart(submission, file, block, sha256) {
    const request = { method: "GET", path: `uploads/${submission}` };
    const isIt = (/** @type {any} */ part) => part.file === file && part.index === block && part.sha256 === sha256;
    try {
      return await this.attempt(request, (answer) => readList(readJson(answer).parts).some(isIt));
    } catch (error) {
      // The portal does not know the upload until it has stored its first part.
      if (error instanceof PortalError && error.code === "not-found") return false;
      throw error;
    }
  }

  /**
   * @protected
   * @template T
   * @param {Request} request
   * @param {(answer: Bytes) => T} decode
   */
  ask(request, decode) {
    return this.#retry.run(() => this.attempt(request, decode));
  }

  /**
   * @protected
   * @template T
   * @param {Request} request
   * @param {(answer: Bytes) => T} decode
   */
  async attempt(request, decode) {
    const answer = await this.#send(request);
    try {
      return decode(answer);
    } catch (error) {
      if (error instanceof PortalError) throw error;
      // Not the portal's answer: the page of a hotel or a provider has replaced it.
      throw new Trouble("foreign");
    }
  }

  /**
   * After a cut one part goes alone, until it has arrived: two at once could each take longer than the line lasts.
   *
   * @param {Request} request
   */
  async #sendPart(request) {
    const before = this.#wasCut ? this.#alone : null;
    let end = () => {};
    if (before) this.#alone = new Promise((resolve) => (end = resolve));
    try {
      await before;
      await this.attempt(request, readJson);
      this.#wasCut = false;
    } catch (error) {
      this.#wasCut ||= isCut(error);
      throw error;
    } finally {
      end();
    }
  }

  /** @param {Request} request whose failures are counted */
  async #send(request) {
    if (request.isWrite && (request.asked || this.#isPressed)) request.work ??= await this.#work(request);
    try {
      return await sendRequest(this.#fetch, this.#base, request, this.#line);
    } catch (error) {
      const trouble = /** @type {Partial<Trouble>} */ (error);
      request.asked = trouble.asked;
      request.failures = (request.failures ?? 0) + 1;
      // A portal that is only busy has not used it up.
      if (trouble.kind !== "busy") request.work = undefined;
      throw error;
    }
  }

  /** @param {Request} request is given its digest */
  async #work(request) {
    const which = { method: "GET", path: "work" };
    const asked = request.asked ?? (await this.attempt(which, (answer) => readAskedWork(readJson(answer))));
    this.#isPressed = Boolean(asked);
    if (!asked) return;
    request.digest ??= sha256(/** @type {Bytes} */ (request.body));
    const tell = (/** @type {number} */ share) => this.#retry.note("work", share, request.failures);
    const work = doWork(asked, request.path, request.digest, systemRandom, tell);
    this.#retry.note(null, undefined, request.failures);
    return work;
  }
}

/** @param {unknown} error */
function isCut(error) {
  return error instanceof Trouble && (error.kind === "offline" || error.kind === "still");
}
