// SPDX-License-Identifier: AGPL-3.0-or-later
// PDF (ISO 32000-1): written anew from the objects that its pages need, without what says who made it, when and on what.
//
// Earlier revisions and all that nothing refers to are gone. What the pages themselves say stays, names too. A PDF that
// is locked, signed, runs a program or carries files is left as it is: it can't be cleaned, or not without breaking it.

import { PDFParser, PDFRawStream, PDFWriter } from "@cantoo/pdf-lib";
import { cleanStream, isStreamClean } from "./pdf-streams.js";
import { dictOf, hasPages, isRefused, scrub, walk } from "./pdf-objects.js";

export const PDF_BYTES_MAX = 40_000_000;
const OBJECTS_A_TICK = 500;

/**
 * @typedef {import("@cantoo/pdf-lib").PDFContext} PDFContext
 * @typedef {import("../formats/worker-calls.js").CleanedFile} CleanedFile
 */

/**
 * A copy of a PDF without hidden details, or why there is none. Raises what reading the file raises.
 *
 * @param {Blob} blob
 * @returns {Promise<CleanedFile>}
 */
export async function cleanPdf(blob) {
  /** @type {Pick<CleanedFile, "kind" | "type" | "blob" | "size">} */
  const refused = { kind: "pdf", type: "application/pdf", blob: null, size: { width: 0, height: 0 } };
  if (blob.size > PDF_BYTES_MAX) return { ...refused, problem: "large" };
  const bytes = new Uint8Array(await blob.arrayBuffer());
  // Of a locked file nothing but this word may be readable. In another file it is only a word on a page.
  const mayBeLocked = holds(bytes, "/Encrypt");
  try {
    const context = await parse(bytes);
    if (context.trailerInfo.Encrypt || isRefused(context)) return { ...refused, problem: "locked" };
    if (!hasPages(context)) return { ...refused, problem: "damaged" };
    const cleaned = await rewrite(context);
    if (!(await isClean(cleaned))) return { ...refused, problem: "damaged" };
    return { ...refused, blob: new Blob([cleaned], { type: refused.type }), problem: null };
  } catch {
    // The parser's errors are of many kinds, and all say the same.
    return { ...refused, problem: mayBeLocked ? "locked" : "damaged" };
  }
}

/** @param {Uint8Array} bytes @returns {Promise<PDFContext>} */
function parse(bytes) {
  return PDFParser.forBytesWithOptions(bytes, OBJECTS_A_TICK, true).parseDocument();
}

/** @param {PDFContext} context @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function rewrite(context) {
  const profiles = scrub(context);
  const reached = walk(context);
  for (const [ref, object] of context.enumerateIndirectObjects()) {
    if (!reached.has(ref)) context.delete(ref);
    else if (object instanceof PDFRawStream) await cleanStream(object, profiles.has(object));
  }
  context.largestObjectNumber = [...reached].reduce((last, { objectNumber }) => Math.max(last, objectNumber), 0);
  const { Root } = context.trailerInfo;
  context.trailerInfo = { Root };
  return /** @type {Promise<Uint8Array<ArrayBuffer>>} */ (PDFWriter.forContext(context, OBJECTS_A_TICK).serializeToBuffer());
}

/** Read the copy again: nothing that is removed is there, and no object that is not needed. @param {Uint8Array} bytes */
async function isClean(bytes) {
  const context = await parse(bytes);
  const { Info, ID, Encrypt } = context.trailerInfo;
  if (Info || ID || Encrypt || isRefused(context)) return false;
  const objects = context.enumerateIndirectObjects();
  const before = objects.map(([, object]) => String(dictOf(object) ?? object));
  const profiles = scrub(context);
  const reached = walk(context);
  for (const [index, [ref, object]] of objects.entries()) {
    if (!reached.has(ref) || String(dictOf(object) ?? object) !== before[index]) return false;
    if (object instanceof PDFRawStream && !(await isStreamClean(object, profiles.has(object)))) return false;
  }
  return objects.length > 0;
}

/** @param {Uint8Array} bytes @param {string} word */
function holds(bytes, word) {
  const [first, ...rest] = [...word].map((character) => character.charCodeAt(0));
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (rest.every((code, index) => bytes[at + 1 + index] === code)) return true;
  }
  return false;
}
