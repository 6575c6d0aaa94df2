// SPDX-License-Identifier: AGPL-3.0-or-later
// A portal on loopback that stores everything in memory, and fails on request.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after } from "node:test";
import { MailboxPortal as Portal } from "../../static/src/worker/mailbox-portal.js";
import { askOffice } from "./office.mjs";
import { TestMailboxes } from "./mailboxes.mjs";

const BASE = "/api/v1/";
// Some failures pass after a few attempts, and no test has so many.
const DELAYS_MAX = 100;
const started = [];
after(() => Promise.all(started.map((server) => server.stop())));

/**
 * A test portal, and the device's way to it, which waits for nothing. `log` has the delays it would have waited, in
 * milliseconds, and what it told about troubles. `chance` is what comes instead of a random number.
 */
export async function connect(faults, chance = 1) {
  const server = await new TestPortal(faults).start();
  const log = { delays: [], told: [] };
  const environment = {
    fetch: globalThis.fetch,
    sleep: async (delay) => {
      log.delays.push(delay);
      if (log.delays.length > DELAYS_MAX) throw new Error("goes on for ever");
    },
    random: () => chance,
  };
  const onTrouble = (kind) => log.told.push(kind ?? "calm");
  return { server, log, portal: new Portal(server.origin, environment, onTrouble) };
}

/**
 * `faults` are asked before each request: (method, path, count) → a fault, or nothing.
 *
 * - `"cut"`: the connection ends before anything was read
 * - `"lose"`: the request is done, and its answer lost
 * - a number: answered with this status
 * - `{ status, code, after }`: refused with this code, and told to come back after so many seconds
 * - `"page"`, `"foreign-404"`: answered by a third party in between
 * - `"moved"`: sent on by one to another site
 */
export class TestPortal {
  parts = new Map();
  bundles = new Map();
  acknowledgements = new Map();
  mailboxes = new TestMailboxes();
  charters = new Map();
  newest = null;
  // That answers say, if any.
  day = null;
  // What is asked of strangers, as `{ challenge, bits }`; and the works that were done, each of which counts.
  work = null;
  works = [];
  requests = [];
  // Of each request that was answered: what was asked, and how many bytes went there and came back.
  exchanges = [];
  bodies = [];
  received = 0;
  // Idle connections stay open, however slow a busy machine is: only a fault makes one fail.
  #server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    void this.#serve(request, response);
  });

  constructor(faults = () => undefined) {
    this.faults = faults;
  }

  async start() {
    started.push(this);
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sealed bytes of an attachment, put together from its parts. */
  file(submission, name) {
    const parts = [...this.parts.values()].filter((part) => part.submission === submission && part.file === name);
    return Buffer.concat(parts.sort((one, other) => one.index - other.index).map(({ data }) => data));
  }

  async #serve(request, response) {
    // A day as tests choose it, or none.
    response.sendDate = false;
    if (this.day) response.setHeader("Date", new Date(`${this.day}T12:00:00Z`).toUTCString());
    const path = request.url.slice(BASE.length);
    const same = this.requests.filter((entry) => entry === `${request.method} ${path}`).length;
    this.requests.push(`${request.method} ${path}`);
    const fault = this.faults(request.method, path, same);
    if (fault === "cut") return void request.socket.destroy();
    const body = await readBody(request);
    if (body === null) return;
    this.received += body.length;
    this.bodies.push(body);
    if (fault === "page") return void response.writeHead(200, { "Content-Type": "text/html" }).end("<p>Log in");
    if (fault === "foreign-404") return void response.writeHead(404, { "Content-Type": "text/html" }).end("<p>No");
    if (fault === "moved") return void response.writeHead(302, { Location: "http://127.0.0.2:9/login" }).end();
    if (typeof fault === "number") return void response.writeHead(fault).end();
    if (fault?.code) return void response.writeHead(fault.status, { "Retry-After": fault.after }).end(refusal(fault.code));
    const [status, answer] = await this.#answerOrAsk(request, path, body);
    if (fault === "lose") return void request.socket.destroy();
    const content = Buffer.isBuffer(answer) ? answer : Buffer.from(JSON.stringify(answer));
    this.exchanges.push([`${request.method} ${path}`, body.length, content.length]);
    response.writeHead(status).end(content);
  }

  /** Strangers' writes need work as long as `work` is set: docs/protocol.md §7.4. */
  async #answerOrAsk(request, path, body) {
    if (path === "work") return [200, { work: this.work }];
    const isWrite = request.method === "PUT" || path === "submissions" || path === "mailbox/changes";
    if (!this.work || !isWrite) return this.#answer(request, path, body);
    const sent = request.headers["amparo-work"] ?? "";
    if (!countsAsWork(sent, path, body, this.work)) {
      const [status, answer] = refuse(503, "work-needed");
      return [status, { ...answer, work: this.work }];
    }
    this.works.push(sent);
    return this.#answer(request, path, body);
  }

  async #answer({ method, headers }, path, body) {
    const [what, ...rest] = path.split("/");
    if (method === "PUT" && what === "uploads") return this.#put(rest, headers["content-digest"], body);
    if (method === "DELETE" && what === "uploads") return this.#drop(rest[0]);
    if (method === "GET" && what === "uploads") return [200, { parts: this.#list(rest[0]) }];
    if (path === "submissions") return this.#submit(body);
    if (path === "mailbox") return [200, this.mailboxes.read(JSON.parse(body))];
    if (path === "mailbox/changes") return this.#change(JSON.parse(body));
    if (what === "charters") return this.#charter(...rest);
    return refuse(404, "not-found");
  }

  #put([submission, file, index], digest, data) {
    const sha256 = createHash("sha256").update(data).digest();
    if (digest !== `sha-256=:${sha256.toString("base64")}:`) return refuse(400, "digest-mismatch");
    const key = `${submission}/${file}/${index}`;
    const held = this.parts.get(key);
    if (held) return held.data.equals(data) ? [200, {}] : refuse(409, "part-conflict");
    this.parts.set(key, { submission, file, index: Number(index), data, sha256: sha256.toString("hex") });
    return [201, {}];
  }

  #drop(submission) {
    if (this.bundles.has(submission)) return refuse(409, "already-accepted");
    for (const [key, part] of this.parts) if (part.submission === submission) this.parts.delete(key);
    return [200, { status: "dropped" }];
  }

  #list(submission) {
    return [...this.parts.values()]
      .filter((part) => part.submission === submission)
      .map(({ file, index, data, sha256 }) => ({ file, index, size: data.length, sha256 }));
  }

  async #submit(bundle) {
    const { submission, acknowledgement } = await askOffice("acknowledge", { bundle: bundle.toString("base64") });
    if (!this.bundles.has(submission)) {
      this.bundles.set(submission, bundle);
      this.acknowledgements.set(submission, acknowledgement);
      return [201, { acknowledgement, status: "accepted" }];
    }
    if (!this.bundles.get(submission).equals(bundle)) return refuse(409, "submission-conflict");
    return [200, { acknowledgement: this.acknowledgements.get(submission), status: "accepted" }];
  }

  #change(change) {
    const refusal = this.mailboxes.change(change);
    return refusal ? refuse(409, refusal) : [202, { status: "accepted" }];
  }

  #charter(hash, part) {
    const chain = [...this.charters.keys()];
    if (!chain.includes(hash)) return refuse(404, "charter-unknown");
    if (!part) return [200, Buffer.from(this.charters.get(hash))];
    const charters = chain.slice(part === "chain" ? 0 : chain.indexOf(hash) + 1).map((known) => this.charters.get(known));
    return [200, { charters, newest: this.newest }];
  }
}

/** Nothing when the connection ended before the body did: a part under way when its test was over. */
async function readBody(request) {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}

function refuse(status, code) {
  return [status, JSON.parse(refusal(code))];
}

function refusal(code) {
  return JSON.stringify({ error: { code, message: "refused", field: null } });
}

function countsAsWork(sent, path, body, { challenge, bits }) {
  const work = Buffer.from(sent, "base64");
  if (work.length !== 96 || work.subarray(0, 16).toString("hex") !== challenge) return false;
  const seed = sha256("amparo/v1/work\n", work.subarray(0, 32), sha256(body), path);
  return Array.from({ length: 16 }, (_, index) => {
    const place = Buffer.alloc(4);
    place.writeUInt32BE(index);
    const hash = sha256(seed, place, work.subarray(32 + 4 * index, 36 + 4 * index));
    return Math.clz32(hash.readUInt32BE()) >= bits;
  }).every(Boolean);
}

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
