// SPDX-License-Identifier: AGPL-3.0-or-later
// The rooms of static/src: what runs on the page's thread, what runs in the worker, what cleans files, and the formats,
// which know none of them.
// Each rule lists what is allowed and is checked on every file, so that a new file is refused until it is listed.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build, transform } from "../../static/node_modules/esbuild/lib/main.js";

const SOURCES = fileURLToPath(new URL("../../static/src/", import.meta.url));

// What a page may know of the formats. None of them seals, opens or derives anything, or imports what does. The receipt
// code is here because the person reads and types it.
const SHARED = ["body", "file-name", "portal-error", "receipt-code", "receipt-text", "worker-calls"].map((name) => `formats/${name}.js`);

/** Beginnings of what a file may import, the packages among it, by the beginning of the file's own path. */
const IMPORTS = {
  "page/": ["page/", ...SHARED],
  "page/picture/": ["page/picture/", "formats/receipt-code.js", "qr"],
  "worker/": ["worker/", "formats/", "@noble/hashes/sha2.js"],
  "files/": ["files/", "formats/worker-calls.js", "@cantoo/pdf-lib"],
  "formats/": ["formats/", "@noble/", "@scure/base", "age-encryption"],
  ...Object.fromEntries(SHARED.map((file) => [file, SHARED])),
};

/** Path prefixes of the files that may use a global of the browser. An empty list: no file may use it. */
const GLOBALS = {
  document: ["page/"],
  window: ["page/"],
  location: ["page/"],
  history: ["page/"],
  navigator: ["page/"],
  subtle: ["worker/", "formats/"],
  fetch: ["worker/", "page/charter-note.js"],
  Worker: ["page/worker-client.js"],
  SharedWorker: [],
  importScripts: [],
  XMLHttpRequest: ["worker/upload.js"],
  WebSocket: [],
  EventSource: [],
  localStorage: [],
  sessionStorage: [],
  indexedDB: [],
  caches: [],
};
// These names are refused as members too, whatever the global object is called.
const MEMBERS = ["document", "window", "subtle", "localStorage", "sessionStorage", "indexedDB", "importScripts"];
// Modules whose address is not in the source: the page's strings in its language, and the picture of a code.
const IMPORTS_BY_ADDRESS = ["page/strings.js", "page/components/code-picture.js", "page/components/report-form.js"];

const isAmong = (path, beginnings) => beginnings.some((beginning) => path.startsWith(beginning));

/** What in this folder of sources breaks a rule, as "file: what". */
async function violations(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.\w+$/.test(path));
  const imported = await importsOf(folder, files);
  const found = await Promise.all(
    files.map(async (file) => {
      const source = readFileSync(join(folder, file), "utf8");
      const broken = [...imported.get(file), ...typesIn(source, file)].filter((path) => !mayImport(file, path));
      return [...broken, ...(await globalsIn(source, file))].map((what) => `${file}: ${what}`);
    }),
  );
  return [...new Set(found.flat())].sort();
}

function mayImport(file, path) {
  const rule = IMPORTS[file] ?? IMPORTS[`${posix.dirname(file)}/`] ?? IMPORTS[`${file.split("/")[0]}/`];
  return rule !== undefined && isAmong(path, rule);
}

/** What each file imports, as esbuild reads it: files by their path in the folder, packages by their name. */
async function importsOf(folder, files) {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: files,
    bundle: true,
    format: "esm",
    metafile: true,
    outdir: "built",
    packages: "external",
    write: false,
    logLevel: "silent",
  });
  return new Map(files.map((file) => [file, metafile.inputs[file].imports.map(({ path }) => path)]));
}

/** The imports of types, which occur only in comments. */
function typesIn(source, file) {
  const named = [...source.matchAll(/\bimport\(\s*["']([^"']+)["']/g)].map(([, path]) => path);
  return named.map((path) => (path.startsWith(".") ? posix.join(posix.dirname(file), path) : path));
}

/** What a file uses that it may not, comments and names of its own left aside. */
async function globalsIn(source, file) {
  const marked = Object.keys(GLOBALS).flatMap((name) =>
    [name, `globalThis.${name}`, `self.${name}`].map((expression) => [expression, `__global_${name}`]),
  );
  const { code } = await transform(source, { define: Object.fromEntries(marked), minify: true, legalComments: "none" });
  const used = [
    ...[...code.matchAll(/__global_(\w+)/g)].map(([, name]) => name),
    ...MEMBERS.filter((name) => new RegExp(`\\.${name}\\b`).test(code)),
  ];
  const byAddress = /\bimport\((?!["'`])/.test(code) && !IMPORTS_BY_ADDRESS.includes(file) ? ["import by address"] : [];
  const inNoRoom = IMPORTS[`${file.split("/")[0]}/`] === undefined ? ["in no room"] : [];
  return [...used.filter((name) => !isAmong(file, GLOBALS[name])), ...byAddress, ...inNoRoom];
}

test("every source is in a room and respects its walls", async () => {
  assert.deepEqual(await violations(SOURCES), []);
});

test("every rule applies to a file that exists", () => {
  const files = readdirSync(SOURCES, { recursive: true });
  const named = [...Object.keys(IMPORTS), ...Object.values(GLOBALS).flat(), ...IMPORTS_BY_ADDRESS];
  for (const name of named) assert.ok(files.some((file) => file.startsWith(name)), name);
});

/** Breaches of the rules, each in its own file, and the findings expected there. */
const BREACHES = {
  "page/": {
    'import "../worker/submit.js";': "worker/submit.js",
    'import { deriveSecrets } from "../formats/derive.js"; deriveSecrets();': "formats/derive.js",
    'export { seal } from "../formats/age.js";': "formats/age.js",
    'export * from "@noble/hashes/sha2.js";': "@noble/hashes/sha2.js",
    'export const later = () => import("../formats/state.js");': "formats/state.js",
    "export const later = (path) => import(path);": "import by address",
    '/** @typedef {import("../worker/submit.js").Context} Context */': "worker/submit.js",
    "new Worker('x');": "Worker",
    "fetch('/api/v1/mailbox');": "fetch",
    "globalThis.crypto.subtle.digest('SHA-256', new Uint8Array());": "subtle",
    "globalThis['localStorage'].x = 1;": "localStorage",
  },
  "page/picture/": {
    'import "../strings.js";': "page/strings.js",
    'import "@noble/hashes/sha2.js";': "@noble/hashes/sha2.js",
  },
  "page/components/": { 'import "qr";': "qr" },
  "worker/": {
    'import { t } from "../page/strings.js"; t("x");': "page/strings.js",
    '/** @typedef {import("../page/strings.js").Strings} Strings */': "page/strings.js",
    'import "age-encryption";': "age-encryption",
    "document.title = 'x';": "document",
    "const scope = globalThis; scope.window.close();": "window",
  },
  "files/": {
    'import { sealReport } from "../formats/report.js"; sealReport();': "formats/report.js",
    "fetch('/api/v1/mailbox');": "fetch",
  },
  "formats/": {
    'import { Portal } from "../worker/portal.js"; new Portal();': "worker/portal.js",
    'import "../page/strings.js";': "page/strings.js",
    "fetch('/');": "fetch",
    "export const title = () => document.title;": "document",
  },
  "": { "export const x = 1;": "in no room" },
};

test("every breach of the walls is found, and nothing else is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "amparo-rooms-"));
  after(() => rmSync(folder, { recursive: true }));
  cpSync(SOURCES, folder, { recursive: true });
  const expected = Object.entries(BREACHES).flatMap(([room, breaches]) =>
    Object.entries(breaches).map(([source, what], index) => {
      writeFileSync(join(folder, `${room}new-${index}.js`), `${source}\n`);
      return `${room}new-${index}.js: ${what}`;
    }),
  );
  // What pages may import may itself import no more.
  writeFileSync(join(folder, "formats/receipt-code.js"), 'import "./derive.js";\n', { flag: "a" });
  // A local name is not a breach, even if a browser has it too.
  writeFileSync(join(folder, "formats/own.js"), "// document\nexport const read = (document) => `document ${document}`;\n");
  assert.deepEqual(await violations(folder), [...expected, "formats/receipt-code.js: formats/derive.js"].sort());
});
