// SPDX-License-Identifier: AGPL-3.0-or-later
// Takes from a page or a worker what one of the oldest browsers lacks (docs/adr/0024): it runs before their own script.
// Not trustedTypes, without which a browser that keeps to the page's policy starts no worker, and not checkVisibility,
// which Playwright uses.
(() => {
  const lacking = `
    AbortSignal.any AbortSignal.timeout Array.fromAsync Array.prototype.at Array.prototype.findLast Array.prototype.findLastIndex
    Array.prototype.toReversed Array.prototype.toSorted Array.prototype.toSpliced Array.prototype.with
    Blob.prototype.bytes Blob.prototype.stream BroadcastChannel CompressionStream
    Crypto.prototype.randomUUID DataView.prototype.getBigInt64 DataView.prototype.getBigUint64 DataView.prototype.setBigInt64
    DataView.prototype.setBigUint64 DecompressionStream Document.prototype.adoptedStyleSheets Document.prototype.replaceChildren
    DocumentFragment.prototype.replaceChildren Element.prototype.replaceChildren
    Element.prototype.setHTMLUnsafe FinalizationRegistry HTMLDialogElement.prototype.showModal HTMLElement.prototype.inert
    HTMLElement.prototype.showPopover HTMLFormElement.prototype.requestSubmit Intl.DisplayNames Intl.DurationFormat
    Intl.ListFormat Intl.Segmenter Intl.supportedValuesOf Iterator.prototype.filter Iterator.prototype.map
    Iterator.prototype.toArray Map.groupBy Navigator.prototype.locks Object.groupBy Object.hasOwn OffscreenCanvas
    Promise.any Promise.try Promise.withResolvers ReadableStream.from ReadableStream.prototype.pipeThrough
    ReadableStream.prototype.pipeTo Response.json Response.prototype.bytes Set.prototype.isSubsetOf Set.prototype.union
    String.prototype.at String.prototype.isWellFormed String.prototype.replaceAll String.prototype.toWellFormed
    SubmitEvent.prototype.submitter TextDecoderStream TextEncoderStream TransformStream URL.canParse WeakRef
    WritableStream navigation reportError requestIdleCallback scheduler structuredClone
  `.trim().split(/\s+/);
  // In a page Playwright uses these.
  if (!globalThis.document) lacking.push("BigInt64Array", "BigUint64Array");
  const left = lacking.filter((path) => {
    const names = path.split(".");
    const last = names.pop();
    let owner = globalThis;
    for (const name of names) owner = owner && owner[name];
    if (!owner) return false;
    // A worker inherits some of its globals.
    for (let at = owner; at; at = Object.getPrototypeOf(at)) delete at[last];
    return last in owner;
  });
  if (left.length > 0) throw new Error(`still there: ${left}`);
  // Curves of WebCrypto came years later.
  for (const name of ["generateKey", "importKey"]) {
    const make = SubtleCrypto.prototype[name];
    const at = name === "importKey" ? 2 : 0;
    SubtleCrypto.prototype[name] = function (...given) {
      const algorithm = given[at].name || given[at];
      if (/25519/.test(algorithm)) return Promise.reject(new DOMException("", "NotSupportedError"));
      return make.apply(this, given);
    };
  }
})();
