// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs tests/static/office.py: the commission, in the other language.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("office.py", import.meta.url));
const VENV = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
const PYTHON = process.env.PYTHON ?? (existsSync(VENV) ? VENV : "python3");

/** What one action of office.py answers to a request. */
export async function askOffice(action, request) {
  const child = spawn(PYTHON, [SCRIPT, action], { stdio: ["pipe", "pipe", "inherit"], timeout: 60_000 });
  child.stdin.end(JSON.stringify(request));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`office.py ${action} ended with ${code}`);
  return JSON.parse(output);
}
