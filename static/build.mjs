// SPDX-License-Identifier: AGPL-3.0-or-later
// Bundle script and style into static/dist. The same sources give the same bytes: nothing of the machine gets in.
//
//     node build.mjs [--check-budget | --watch] [--out FOLDER]

import { existsSync } from "node:fs";
import { mkdir, readFile, watch, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const ROOT = dirname(fileURLToPath(import.meta.url));

const ENTRIES = [
  { source: "src/page/form.js", output: "form.js", format: "esm" },
  { source: "src/page/more.js", output: "more.js", format: "esm" },
  { source: "src/page/return.js", output: "return.js", format: "esm" },
  { source: "src/page/picture/picture.js", output: "picture.js", format: "esm" },
  { source: "src/page/leave.js", output: "leave.js", format: "iife" },
  { source: "src/worker/seal-worker.js", output: "seal-worker.js", format: "iife" },
  { source: "src/worker/mailbox-worker.js", output: "mailbox-worker.js", format: "iife" },
  { source: "src/files/picture-worker.js", output: "picture-worker.js", format: "iife" },
  { source: "src/files/pdf-worker.js", output: "pdf-worker.js", format: "iife" },
  { source: "css/page.css", output: "page.css" },
  { source: "css/register.css", output: "register.css" },
  { source: "css/office.css", output: "office.css" },
];

// The oldest browsers in which the pages have to work: docs/adr/0024. leave.js is a classic script and says to older ones
// that they are too old, so it is read by them too.
const FLOOR = ["chrome80", "firefox78", "safari14"];
// The first two these browsers have, but for corners that neither we nor the packages use: a default in a nested pattern
// that reads a later name (Safari before 14.1), and `f?.(...list)` (Chrome before 91). The third no bundle has: lowered
// before it is bundled, it would bring all that is exported so.
const SUPPORTED = { destructuring: true, "optional-chain": true, "export-star-as": true };

// Bytes after gzip of the script that one page loads. The whole of a page is weighed by tests/portal/pages/test_pages.py
// (73 KB for the form, 59 KB for the return page, in every language). The aims are 60 and 50 KB, of which 15 KB our own
// script: neither is reached. Each of these cost more than was thought, and none is spared: reading charters and notes
// strictly, a line that fails and stalls, one report of many tries, trying the browser at the start, browsers of eight
// years ago, two clocks, dates of other calendars, the short way for somebody in danger, files that are looked at. What
// only some people need is loaded when they ask for it.
const BUDGETS = [
  { name: "form, all script", outputs: ["form.js", "leave.js", "seal-worker.js"], bytes: 54 * 1024 },
  { name: "form, own script", outputs: ["form.js", "leave.js", "seal-worker.js"], own: true, bytes: 29 * 1024 },
  // Loaded when the first file is chosen, and when the first PDF is.
  { name: "cleaning pictures", outputs: ["picture-worker.js"], bytes: 5 * 1024 },
  { name: "cleaning PDF files", outputs: ["pdf-worker.js"], bytes: 40 * 1024 },
  { name: "return page, all script", outputs: ["return.js", "leave.js", "mailbox-worker.js"], bytes: 50 * 1024 },
];

/**
 * age-encryption can also seal to P-256 hardware keys, to keys of age before the quantum and to passphrases, and brings
 * the NIST curves, more KEMs and scrypt for that. We seal to `age1pq1…` alone, so they are left out: src/formats/age.js
 * refuses every other recipient and stanza before one of these could be reached.
 */
const LEFT_OUT = {
  "@noble/curves/nist.js": "export const p256 = undefined, p384 = undefined;",
  "@noble/hashes/scrypt.js": "export const scrypt = undefined;",
  "./x25519.js": "export const scalarMult = undefined, scalarMultBase = undefined;",
  "@noble/post-quantum/hybrid.js": `
    export { MLKEM768X25519 } from "@noble/post-quantum/hybrid.js";
    export const MLKEM768P256 = undefined;`,
};

const leaveOut = {
  name: "leave-out",
  setup(bundler) {
    for (const [path, contents] of Object.entries(LEFT_OUT)) {
      const filter = new RegExp(`^${path.replaceAll(".", "\\.")}$`);
      bundler.onResolve({ filter }, ({ namespace, importer }) => {
        // Left out for these two packages alone; what stands in for a module may take something of the module itself.
        if (namespace === "left-out" || !/age-encryption|post-quantum/.test(importer)) return undefined;
        return { path, namespace: "left-out", sideEffects: false };
      });
      bundler.onLoad({ filter, namespace: "left-out" }, () => ({ contents, resolveDir: ROOT }));
    }
    bundler.onLoad({ filter: /post-quantum\/hybrid\.js$/, namespace: "file" }, sayPure);
  },
};

/**
 * The package makes all its hybrid KEMs when it is loaded. Making one does nothing but make it; where that is said, those
 * that nobody uses are left out.
 */
async function sayPure({ path }) {
  const source = await readFile(path, "utf8");
  return { contents: source.replace(/(?<=[=,] )(?=(?:QSF|createKitchenSink|ecdhKem)\()/g, "/* @__PURE__ */ ") };
}

const OWN_SOURCES = /\/static\/src\/(?:\w+\/)+[\w-]+\.js$/;

/** How our own sources are changed on their way into a bundle. */
const ownSources = {
  name: "own-sources",
  setup(bundler) {
    bundler.onLoad({ filter: /\/static\/css\/(?:\w+\/)*[\w-]+\.css$/, namespace: "file" }, async ({ path }) => {
      return { contents: writeOut(await readFile(path, "utf8")), loader: "css" };
    });
    bundler.onLoad({ filter: OWN_SOURCES, namespace: "file" }, async ({ path }) => {
      const source = namePrivates(await readFile(path, "utf8"), basename(path, ".js"));
      return { contents: /\/src\/(files|formats|worker)\//.test(path) ? leaveOutWords(source) : source };
    });
  },
};

/**
 * Of the PDF package we read and write objects. Its modules do nothing but define things, though it does not say so: where
 * it is said, those that nobody uses are left out. The metrics of the standard fonts, for writing texts, are too.
 */
const leaveOutPdf = {
  name: "leave-out-pdf",
  setup(bundler) {
    bundler.onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      const isOfPackage = path === "@cantoo/pdf-lib" || /@cantoo.pdf-lib/.test(from.importer);
      if (!isOfPackage || pluginData === "resolving") return undefined;
      const { path: found, errors } = await bundler.resolve(path, { ...from, pluginData: "resolving" });
      return { path: found, errors, sideEffects: false };
    });
    bundler.onLoad({ filter: /standard-fonts.*\.compressed\.json$/ }, () => ({ contents: '""', loader: "json" }));
  },
};

/**
 * What our errors say is for whoever reads the sources and runs the tests. A worker tells its page a code and nothing
 * else, so the bundles go without the words.
 */
function leaveOutWords(source) {
  return source.replace(/(?<=new (?!Portal|ReceiptCode)\w+Error\()(?:"[^"]*"|`[^`]*`)(?=\))/g, "");
}

/**
 * Logical shorthands in their long form, and the block's edges by their old names, as Chrome before 87 and Safari before
 * 14.1 know them: our pages are written from top to bottom in every language.
 *
 * @param {string} css
 */
export function writeOut(css) {
  const pairs = /(?<![\w-])(margin|padding)-(inline|block): ((?:[^\s;()]|\((?:[^()]|\([^()]*\))*\))+)(?: ([^;]+))?;/g;
  return css
    .replace(pairs, (_, what, axis, start, end = start) => `${what}-${axis}-start: ${start}; ${what}-${axis}-end: ${end};`)
    .replace(/\binset-block-start:/g, "top:");
}

const PRIVATE_NAME = /^__private_/;

/**
 * `#name` as a property that esbuild shortens: older browsers don't know private names, and what esbuild makes of them
 * (a WeakMap each) is long and slow. The file is part of the name, so that a class and the one it extends keep theirs apart.
 *
 * @param {string} source
 * @param {string} file
 */
export function namePrivates(source, file) {
  const name = `__private_${file.replaceAll("-", "_")}_`;
  // After a dot, or at the beginning of a member of a class: "#name" in a text is a selector.
  return source.replace(/(?<=\w\??\.|^ +(?:(?:static|async|get|set) )*)#(?=[a-z])/gm, name);
}

/**
 * The bundles as bytes by name.
 *
 * @param {boolean} ownOnly leave out all packages, to weigh our own script
 * @returns {Promise<Map<string, Uint8Array>>}
 */
export async function bundle(ownOnly = false) {
  const outputs = new Map();
  for (const { source, output, format } of ENTRIES) {
    const { outputFiles } = await build({
      absWorkingDir: ROOT,
      entryPoints: [source],
      bundle: true,
      minify: true,
      write: false,
      target: output === "leave.js" ? "es2015" : FLOOR,
      supported: output === "leave.js" ? {} : SUPPORTED,
      charset: "utf8",
      legalComments: "none",
      logLevel: "error",
      mangleProps: PRIVATE_NAME,
      plugins: ownOnly ? [ownSources] : [leaveOut, leaveOutPdf, ownSources],
      ...(ownOnly ? { packages: "external" } : {}),
      ...(format ? { format: ownOnly ? "esm" : format } : {}),
      external: output.endsWith(".css") ? ["*.svg", "*.png"] : [],
    });
    outputs.set(output, format ? await squeeze(outputFiles[0].text, format) : outputFiles[0].contents);
  }
  return outputs;
}

/**
 * What esbuild minified, once more: a twentieth less.
 *
 * @param {string} code
 * @param {string} format
 */
async function squeeze(code, format) {
  const module = format === "esm";
  const { code: squeezed = "" } = await minify(code, { module, ecma: 2020, compress: { passes: 3 } });
  return new TextEncoder().encode(squeezed);
}

/** @param {Map<string, Uint8Array>} outputs */
function zippedSizes(outputs) {
  return new Map([...outputs].map(([name, bytes]) => [name, gzipSync(bytes, { level: 9 }).length]));
}

/** @returns {Promise<string[]>} what is over its budget, in words */
async function checkBudgets(sizes) {
  const own = zippedSizes(await bundle(true));
  return BUDGETS.flatMap((budget) => {
    const total = budget.outputs.reduce((sum, name) => sum + ((budget.own ? own : sizes).get(name) ?? 0), 0);
    console.log(`${budget.name}: ${total} of ${budget.bytes} bytes`);
    return total > budget.bytes ? [`${budget.name} is over its budget`] : [];
  });
}

/** Programs that would need more of the content policy than our pages grant. */
function refuseForbidden(outputs) {
  for (const [name, bytes] of outputs) {
    const found = /\bWebAssembly\b|\beval\(|new Function\(|\blocalStorage\b|\bindexedDB\b/.exec(Buffer.from(bytes).toString());
    if (found && name.endsWith(".js")) throw new Error(`${name} holds ${found[0]}`);
  }
}

async function main() {
  const at = process.argv.indexOf("--out");
  const folder = at > 0 ? resolve(process.argv[at + 1]) : join(ROOT, "dist");
  await buildInto(folder);
  if (process.argv.includes("--watch")) await buildOnChange(folder);
}

/** @param {string} folder */
async function buildInto(folder) {
  const outputs = await bundle();
  refuseForbidden(outputs);
  await mkdir(folder, { recursive: true });
  const sizes = zippedSizes(outputs);
  for (const [name, bytes] of outputs) {
    await writeIfChanged(join(folder, name), bytes);
    console.log(`${name}: ${bytes.length} bytes, ${sizes.get(name)} gzip`);
  }
  const over = process.argv.includes("--check-budget") ? await checkBudgets(sizes) : [];
  for (const line of over) console.error(line);
  process.exitCode = over.length > 0 ? 1 : 0;
}

/**
 * Build again after every change, and go on after a mistake in a source.
 *
 * @param {string} folder
 */
async function buildOnChange(folder) {
  const changes = [watch(join(ROOT, "src"), { recursive: true }), watch(join(ROOT, "css"), { recursive: true })];
  await Promise.all(
    changes.map(async (events) => {
      for await (const _ of events) await buildInto(folder).catch((error) => console.error(error.message));
    }),
  );
}

/** A file that stays the same keeps its time, so that `make` does not build after it. */
async function writeIfChanged(path, bytes) {
  if (existsSync(path) && (await readFile(path)).equals(bytes)) return;
  await writeFile(path, bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
