// SPDX-License-Identifier: AGPL-3.0-or-later
// The floor of browsers, docs/adr/0024: Chrome 80, Firefox 78, Safari 14. What is built uses nothing that one of them
// lacks, but where something stands in for it; that is shown in worker/built-workers.test.mjs and tests/browser.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundle, namePrivates, writeOut } from "../../static/build.mjs";

const SOURCES = fileURLToPath(new URL("../../static/src/", import.meta.url));
const built = new Map([...(await bundle())].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
const scripts = [...built].filter(([name]) => name.endsWith(".js"));

// What came after one of these browsers, with the first versions of Chrome, Firefox and Safari that have it.
const NEWER = {
  "a private name (84, 90, 15)": /[^"'`\w\\&;]#[a-z]\w*\s*[=;(.]|\.#[a-z]/,
  "a static block (94, 93, 16.4)": /\bstatic\s*\{/,
  "an assignment that decides (85, 79, 14)": /(?:\?\?|\|\||&&)=/,
  "looking behind in a pattern (62, 78, 16.4)": /\(\?<[=!]/,
  "a pattern's flag d or v (90, 88, 15)": /\/[gimsuy]*[dv][gimsuy]*[.,;)]/,
  "a call with a list that may be none (91, 74, 13.1)": /\?\.\(\.\.\./,
  "AbortSignal.timeout, any (103, 100, 16)": /AbortSignal\.\w/,
  "a file's stream or bytes (76, 69, 14.1)": /\bblob\.stream\(|\.bytes\(\)/,
  "Blob.text of a stream (85, …)": /TextDecoderStream|CompressionStream/,
  "Array.at, findLast, toSorted, with (92, 90, 15.4)": /\.at\(-|\.(?:findLast|findLastIndex|toSorted|toReversed|toSpliced|with)\(/,
  "Object.hasOwn, groupBy (93, 92, 15.4)": /Object\.(?:hasOwn|groupBy)\b/,
  "String.replaceAll (85, 77, 13.1)": /\.replaceAll\(/,
  "structuredClone (98, 94, 15.4)": /\bstructuredClone\b/,
  "randomUUID (92, 95, 15.4)": /\brandomUUID\b/,
  "Promise.any, withResolvers (85, 79, 14)": /Promise\.(?:any|withResolvers|try)\b/,
  "Array.fromAsync, Set algebra, iterator helpers": /fromAsync|\.(?:isSubsetOf|symmetricDifference)\(|\bIterator\./,
  "WeakRef (84, 79, 14.1)": /\bWeakRef\b|FinalizationRegistry/,
  "big integers in arrays (67, 68, 15)": /\bBig(?:Uint|Int)64Array\b|\.(?:getBig\w+64|setBigInt64)\(/,
  "Intl.Segmenter, DurationFormat, supportedValuesOf": /Intl\.(?:Segmenter|DurationFormat|supportedValuesOf)/,
  "a dialog, popover, inert (37, 98, 15.4)": /showModal|showPopover|\.inert\b/,
  "requestSubmit, submitter (76, 75, 16)": /\.requestSubmit\(|\.submitter\b/,
  "adoptedStyleSheets, setHTML": /adoptedStyleSheets|\.setHTML\w*\(/,
  "crypto of curves (137, 129, 17)": /subtle\.\w+\([^)]*(?:Ed25519|X25519)/,
};

test("no script uses what one of the oldest browsers lacks", () => {
  for (const [name, source] of scripts) {
    for (const [what, pattern] of Object.entries(NEWER)) {
      const found = pattern.exec(source);
      assert.equal(found && source.slice(Math.max(0, found.index - 40), found.index + 40), null, `${name}: ${what}`);
    }
  }
});

test("the list knows what it looks for", () => {
  const samples = [
    "a=this.#b", "class A{static{f()}}", "a??=b", "/(?<=a)b/", "x=/a/v.test", "f?.(...a)", "AbortSignal.timeout(1)",
    "blob.stream()", "a.at(-1)", "Object.hasOwn(a)", "a.replaceAll(b)", "structuredClone(a)", "Promise.any(a)",
    "new BigUint64Array(1)", "a.showModal()",
  ];
  for (const sample of samples) assert.ok(Object.values(NEWER).some((pattern) => pattern.test(sample)), sample);
});

test("leave.js is read by any browser that can show the page, for it tells the older ones", () => {
  assert.doesNotMatch(built.get("leave.js"), /\?\.|\?\?|=>\s*\{[^}]*\.\.\.\w|\basync\b|\bimport\b|`[^`]*\bclass\b/);
});

// Of the rest, an older browser leaves out the rule alone, and the page can be read and used without it.
const NEWER_STYLE = {
  "shorthands of one axis (87, 66, 14.1)": /(?<!scroll-)\b(?:margin|padding|inset)-(?:inline|block):/,
  "edges of the block (87, 63, 14.1)": /\binset(?:-block)?(?:-start|-end)?:(?!.*\bskip\b)/,
  "rules within rules (120, 117, 17.2)": /[;{]&/,
  "layers, scopes (99, 97, 15.4)": /@layer|@scope/,
};

test("no style of a reporter's page relies on what one of the oldest browsers lacks", () => {
  for (const [what, pattern] of Object.entries(NEWER_STYLE)) assert.doesNotMatch(built.get("page.css").replace(/\.skip\{[^}]*\}/g, ""), pattern, what);
});

test("where a focus is shown in another way only by newer browsers, older ones keep theirs", () => {
  const removed = [...built.get("page.css").matchAll(/([^{}]*)\{[^}]*outline:(?:none|0)[^}]*\}/g)].map(([, selector]) => selector);
  for (const selector of removed) assert.match(selector, /:has\(|^\[tabindex="?-1"?\]/, selector);
});

test("shorthands are written out, with all that may stand in them", () => {
  const given = "a{scroll-padding-block: 1rem 2rem; padding-block: clamp(1rem, 6vw, calc(2rem + 1px)) var(--x); margin-inline: auto; inset-block-start: 0;}";
  const written =
    "a{scroll-padding-block: 1rem 2rem; padding-block-start: clamp(1rem, 6vw, calc(2rem + 1px)); padding-block-end: var(--x); " +
    "margin-inline-start: auto; margin-inline-end: auto; top: 0;}";
  assert.equal(writeOut(given), written);
});

test("private names become properties, and texts stay as they are", () => {
  const given = 'class A {\n  #b = 1;\n  static async #c() {}\n  get #d() {\n    return this.#b + a?.#b + part("#b", ".x #b");\n  }\n}\n';
  const written =
    'class A {\n  __private_a_b_b = 1;\n  static async __private_a_b_c() {}\n  get __private_a_b_d() {\n' +
    '    return this.__private_a_b_b + a?.__private_a_b_b + part("#b", ".x #b");\n  }\n}\n';
  assert.equal(namePrivates(given, "a-b"), written);
});

test("no private name is left in a source, and no property has such a name", () => {
  for (const path of readdirSync(SOURCES, { recursive: true }).filter((name) => name.endsWith(".js"))) {
    const source = readFileSync(SOURCES + path, "utf8");
    assert.doesNotMatch(source, /__private/, path);
    assert.doesNotMatch(namePrivates(source, "x"), /\.#|^\s+[\w ]*#[a-z]|[\s(!]#\w+ in /m, path);
  }
  for (const [name, source] of scripts) assert.doesNotMatch(source, /__private/, name);
});

test("a class and the one it extends keep their private names apart", () => {
  const named = (/** @type {string} */ file) => namePrivates("class A {\n  #b = 1;\n}\n", file);
  assert.notEqual(named("portal"), named("mailbox-portal"));
  for (const path of readdirSync(SOURCES, { recursive: true }).filter((name) => name.endsWith(".js"))) {
    const source = readFileSync(SOURCES + path, "utf8");
    const classes = [...source.matchAll(/\bclass (\w+)/g)].map(([, name]) => name);
    const extended = [...source.matchAll(/\bextends (\w+)/g)].map(([, name]) => name);
    assert.deepEqual(extended.filter((name) => classes.includes(name) && /#/.test(source) && name !== "FormatError"), [], path);
  }
});
