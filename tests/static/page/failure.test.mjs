// SPDX-License-Identifier: AGPL-3.0-or-later
// What the pages say of a failure is so in every moment in which it can come: every code, every moment, one table.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PortalError } from "../../../static/src/formats/portal-error.js";
import { element } from "./elements.mjs";

element({});
const { failureWords } = await import("../../../static/src/page/components/failure.js");
const { mailboxFailureWords } = await import("../../../static/src/page/components/mailbox-failure.js");
const { troubleNotice } = await import("../../../static/src/page/components/trouble.js");

const source = await readFile(new URL("../../../static/src/formats/portal-error.js", import.meta.url), "utf8");
const CODES = [...source.split("export class")[0].matchAll(/`([a-z-]+)`/g)].map(([, code]) => code).filter((code) => code !== "code");

// Codes whose words are those of any failure: the person can only try again, or they come elsewhere.
const OF_ANY = {
  report: "damaged mailbox-full not-found state-conflict cancelled mailbox-changed mailbox-untrue answers-invalid unexpected-answer unsupported failed",
  mailbox:
    "charter-unknown not-found cancelled charter-invalid charter-expired charter-replaced clock-differs no-recipient answers-invalid " +
    "file-unreadable acknowledgement-invalid unexpected-answer unsupported failed",
};
// Which moments a failure can come in, and what may be at the portal then.
const MOMENTS = {
  // The page does not know how many parts have come, and says the same.
  "a report of which nothing, or parts were sent": (error) => failureWords(error, [{ name: "a.pdf" }], false),
  "a report whose bundle was sent without an acknowledgement": (error) => failureWords(error, [{ name: "a.pdf" }], true),
  "a mailbox that is opened": (error) => mailboxFailureWords(error, false),
  "a mailbox that something was sent to without an answer": (error) => mailboxFailureWords(error, true),
  "a message on the page of the report": (error) => mailboxFailureWords(error, true, false),
};
const NOT_SENT = /nothing (was|has been|is) sent|(was|is|were|has|have)( not|n’t)( been)? (sent|arrived)|not been sent|not sent\b|did(n’t| not) arrive/i;
const NO_CONNECTION = /connection|network is (gone|back)|offline/i;

test("the list of codes is that of formats/portal-error.js", () => {
  assert.ok(CODES.length > 15, String(CODES));
  assert.equal(new Set(CODES).size, CODES.length);
});

for (const [moment, words] of Object.entries(MOMENTS)) {
  test(`no failure is told untruly: ${moment}`, () => {
    for (const code of CODES) {
      const said = words(new PortalError(code));
      assert.doesNotMatch(said, NOT_SENT, code);
      // A failure is what was answered, or the device's own; a line that is gone is waited for.
      assert.doesNotMatch(said, NO_CONNECTION, code);
    }
    assert.doesNotMatch(words(new Error("a fault of the page")), NOT_SENT);
  });
}

test("whatever failed after a report was sent, it is said that it may have arrived", () => {
  for (const code of CODES) {
    assert.match(failureWords(new PortalError(code), [], true), /may have arrived|Do not count on it having arrived/, code);
  }
});

test("every code has words of its own, or those of any failure on purpose", () => {
  const tellers = { report: (error) => failureWords(error, [{ name: "a.pdf" }], false), mailbox: (error) => mailboxFailureWords(error, true) };
  for (const [page, words] of Object.entries(tellers)) {
    const ofAny = CODES.filter((code) => words(new PortalError(code)) === words(null));
    assert.deepEqual(ofAny.sort(), OF_ANY[page].split(" ").sort(), page);
  }
});

test("the connection is said to be gone of no answer that came", () => {
  const kinds = { offline: true, still: false, foreign: false, busy: false, long: false, full: false, work: false };
  const text = element({});
  const notice = element({}, { "[data-trouble-text]": [text], "[data-work]": [element({})] });
  const tell = troubleNotice(element({}, { "[data-trouble]": [notice] }), "The connection is gone.", "The site can’t take it.");
  for (const [kind, isGone] of Object.entries(kinds)) {
    tell(kind);
    assert.equal(/connection is gone|network is back/.test(text.textContent), isGone, kind);
    assert.doesNotMatch(text.textContent, NOT_SENT, kind);
  }
});

test("of a message on the report's page no mailbox is spoken of that was never opened there", () => {
  for (const code of CODES) {
    const said = mailboxFailureWords(new PortalError(code), true, false);
    assert.doesNotMatch(said, /than when you opened it|Open this page in another tab/, code);
  }
});

test("where nothing was written no message is spoken of", () => {
  for (const code of CODES) assert.doesNotMatch(mailboxFailureWords(new PortalError(code), false), /your message|what you wrote/i, code);
});
