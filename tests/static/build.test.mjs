// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("../../static/build.mjs", import.meta.url));
const SOURCES = fileURLToPath(new URL("../../static/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "amparo-build-"));
after(() => rmSync(folder, { recursive: true }));

function build(name, ...options) {
  const output = join(folder, name);
  execFileSync(process.execPath, [BUILD, "--out", output, ...options], { cwd: folder });
  return new Map(readdirSync(output).map((file) => [file, readFileSync(join(output, file))]));
}

const first = build("first");

test("two builds give the same bytes", () => {
  assert.deepEqual(build("second"), first);
  assert.ok(first.has("seal-worker.js") && first.has("mailbox-worker.js"));
});

test("nothing of the machine is in what is built", () => {
  for (const [name, bytes] of first) assert.ok(!bytes.includes(SOURCES) && !bytes.includes(folder), name);
});

test("no script needs more than the content policy grants, or stores anything", () => {
  const forbidden = /\bWebAssembly\b|\beval\(|new Function\(|innerHTML|document\.write|localStorage|sessionStorage|indexedDB/;
  for (const [name, bytes] of first) {
    if (name.endsWith(".js")) assert.equal(forbidden.exec(bytes.toString())?.[0], undefined, name);
  }
});

test("what sealing does not need is left out, and all that it needs is in", () => {
  for (const name of ["seal-worker.js", "mailbox-worker.js"]) {
    const worker = first.get(name).toString();
    assert.ok(!worker.includes("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
    assert.ok(!/QSF-KEM|KitchenSink|MLKEM1024|MLKEM768-P256/.test(worker));
    assert.ok(worker.includes("age-encryption.org/mlkem768x25519"));
  }
});

test("no worker carries the words of its errors, which nobody could read", () => {
  for (const name of ["seal-worker.js", "mailbox-worker.js"]) {
    assert.ok(!/not UTF-8|another commission|not in the expected form/.test(first.get(name).toString()), name);
  }
});

test("pages are within their budgets", () => {
  build("third", "--check-budget");
});
