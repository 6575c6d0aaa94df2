// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs tests/static/office.py: the commission, in the other language. One process answers all that a file of tests asks.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("office.py", import.meta.url));
const VENV = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
const PYTHON = process.env.PYTHON ?? (existsSync(VENV) ? VENV : "python3");

let office;

class Office {
  #waiting = [];
  #child = spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });

  constructor() {
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#settle(JSON.parse(line)));
    this.#child.on("error", (error) => this.#fail(error));
    this.#child.on("close", (code) => this.#fail(new Error(`office.py ended with ${code}`)));
    // Writing to an office that has ended fails too; its end says more.
    this.#child.stdin.on("error", () => {});
    this.#hold(false);
  }

  ask(action, request) {
    this.#hold(true);
    this.#child.stdin.write(`${JSON.stringify({ action, request })}\n`);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #settle(answer) {
    this.#waiting.shift().resolve(answer);
    if (this.#waiting.length === 0) this.#hold(false);
  }

  #fail(error) {
    office = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Whether the tests' process stays for the sake of this one. */
  #hold(held) {
    for (const handle of [this.#child, this.#child.stdin, this.#child.stdout]) handle[held ? "ref" : "unref"]();
  }
}

/** What one action of office.py answers to a request. */
export function askOffice(action, request) {
  office ??= new Office();
  return office.ask(action, request);
}
