// SPDX-License-Identifier: AGPL-3.0-or-later
// The objects of a PDF: which ones its pages need, what is taken out of them, and which ones stop us.

import { PDFArray, PDFDict, PDFHexString, PDFName, PDFRef, PDFStream, PDFString } from "@cantoo/pdf-lib";

/**
 * @typedef {import("@cantoo/pdf-lib").PDFContext} PDFContext
 * @typedef {import("@cantoo/pdf-lib").PDFObject} PDFObject
 */

// Entries that hold metadata, makers' own data, small pictures of pages, paths and words for what is seen, wherever
// they are.
const REMOVED = (
  "Metadata PieceInfo LastModified Thumb OutputIntents StructTreeRoot SpiderInfo CreatorInfo DPM Perms Legal " +
  "Author Creator Producer CreationDate ModDate Alternates"
).split(" ");
// Of a note on a page: who wrote it, when, about what, and its name.
const REMOVED_OF_NOTES = ["T", "M", "NM", "Subj", "CreationDate"];
// Programs, signatures, files in the file, forms in XML.
const REFUSED = ["JS", "ByteRange", "EF", "XFA", "RichMediaContent"];
const ACTIONS_REFUSED = ["JavaScript", "Launch", "GoToR", "GoToE", "ImportData", "SubmitForm", "Rendition", "Movie", "Sound"];
const PICTURES_REFUSED = ["JPXDecode"];

/**
 * Whether anything that the pages need, or the trailer names, can't be cleaned here.
 *
 * @param {PDFContext} context
 */
export function isRefused(context) {
  return [...eachDict(context)].some((dict) => {
    const action = nameOf(dict, "S");
    const filters = String(dict.lookup(PDFName.of("Filter")) ?? "");
    return (
      REFUSED.some((key) => dict.has(PDFName.of(key))) ||
      ACTIONS_REFUSED.includes(action) ||
      nameOf(dict, "Type") === "Filespec" ||
      PICTURES_REFUSED.some((filter) => filters.includes(filter))
    );
  });
}

/** Whether a page was found from the root: without one, everything would be left out. @param {PDFContext} context */
export function hasPages(context) {
  return [...eachDict(context)].some((dict) => nameOf(dict, "Type") === "Page");
}

/**
 * Take out what is hidden.
 *
 * @param {PDFContext} context
 * @returns {Set<PDFObject>} the streams that are colour profiles
 */
export function scrub(context) {
  const profiles = new Set();
  for (const dict of eachDict(context)) {
    for (const key of REMOVED) dict.delete(PDFName.of(key));
    if (dict.has(PDFName.of("Rect")) && nameOf(dict, "Subtype") !== "Widget") {
      for (const key of REMOVED_OF_NOTES) dict.delete(PDFName.of(key));
    }
    // A link to a file names a folder, and with it often a person.
    if (isFileLink(dict.lookup(PDFName.of("URI")))) dict.delete(PDFName.of("URI"));
  }
  for (const array of eachObject(context)) {
    if (array instanceof PDFArray && array.size() === 2 && array.get(0) === PDFName.of("ICCBased")) profiles.add(array.lookup(1));
  }
  return profiles;
}

/**
 * @param {PDFContext} context
 * @returns {Set<PDFRef>} what can be reached from the root
 */
export function walk(context) {
  const reached = new Set();
  for (const _ of eachObject(context, reached));
  return reached;
}

/** @param {PDFObject | undefined} object @returns {PDFDict | null} its entries */
export function dictOf(object) {
  if (object instanceof PDFStream) return object.dict;
  return object instanceof PDFDict ? object : null;
}

/** @param {PDFContext} context */
function* eachDict(context) {
  for (const object of eachObject(context)) {
    const dict = dictOf(object);
    if (dict) yield dict;
  }
}

/**
 * Every object below the root, each once. Entries that are taken out before the next step are not followed.
 *
 * @param {PDFContext} context
 * @param {Set<PDFRef>} [reached] takes up the references
 */
function* eachObject(context, reached = new Set()) {
  /** @type {(PDFObject | undefined)[]} */
  const waiting = [context.trailerInfo.Root];
  while (waiting.length > 0) {
    let object = waiting.pop();
    if (object instanceof PDFRef) {
      if (reached.has(object)) continue;
      reached.add(object);
      object = context.lookup(object);
    }
    if (!object) continue;
    yield object;
    const inside = object instanceof PDFArray ? object.asArray() : (dictOf(object)?.values() ?? []);
    for (const item of inside) waiting.push(item);
  }
}

/** @param {PDFDict} dict @param {string} key */
function nameOf(dict, key) {
  const value = dict.lookup(PDFName.of(key));
  return value instanceof PDFName ? value.decodeText() : "";
}

/** @param {PDFObject | undefined} value */
function isFileLink(value) {
  const isText = value instanceof PDFString || value instanceof PDFHexString;
  return isText && /^\s*file:/i.test(value.decodeText());
}
