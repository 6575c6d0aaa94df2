// SPDX-License-Identifier: AGPL-3.0-or-later
// What the page says of the progress of sending is so.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.HTMLElement = /** @type {any} */ (class {});
const { SendingPanel } = await import("../../../static/src/page/components/sending.js");

/** A panel that makes its elements as they are asked for, and a clock. */
function begin() {
  const elements = new Map();
  const find = (selector) => {
    if (!elements.has(selector)) {
      const element = Object.assign(new HTMLElement(), { textContent: "", value: 0, hidden: false, querySelector: find });
      elements.set(selector, element);
    }
    return elements.get(selector);
  };
  const clock = { now: 1 };
  const panel = new SendingPanel(/** @type {any} */ ({ querySelector: find }), () => clock.now);
  panel.begin();
  return { panel, clock, bar: (name) => find(name).value, words: (name) => find(name).textContent, isShown: (name) => !find(name).hidden };
}

test("locking is not said to be done while it goes on, though parts are sent already", () => {
  const { panel, bar, words } = begin();
  panel.sealed(100, 1000, 1, 1);
  panel.sent(64, 1100);
  assert.deepEqual([bar("[data-seal]"), words("[data-seal-value]")], [0.1, "10 %"]);
  panel.sealed(1000, 1000, 1, 1);
  panel.sent(640, 1100);
  assert.deepEqual([bar("[data-seal]"), words("[data-seal-value]")], [1, "done"]);
});

test("a report without files is locked when it is sent", () => {
  const { panel, words } = begin();
  panel.sent(0, 65_536);
  assert.equal(words("[data-seal-value]"), "done");
});

test("what is left is not guessed at first, and screen readers hear of it every ten seconds at most", () => {
  const { panel, clock, words } = begin();
  panel.sent(0, 6_000_000);
  const first = words("[data-announce]");
  clock.now += 4_000;
  panel.sent(16_000, 6_000_000);
  assert.equal(words("[data-announce]"), first);
  assert.doesNotMatch(words("[data-send-value]"), /minute/);
  clock.now += 6_000;
  panel.sent(40_000, 6_000_000);
  assert.match(words("[data-send-value]"), /about 25 minutes/);
  assert.notEqual(words("[data-announce]"), first);
});

test("that it begins anew is said while it is so, and no longer", () => {
  const { panel, bar, isShown } = begin();
  assert.equal(isShown("[data-again]"), false);
  panel.sent(500, 1000);
  panel.begin(true);
  assert.deepEqual([isShown("[data-again]"), bar("[data-send-bar]")], [true, 0]);
  panel.sent(500, 1000);
  assert.equal(isShown("[data-again]"), true);
  panel.fail();
  assert.equal(isShown("[data-again]"), false);
  panel.begin(true);
  panel.begin();
  assert.equal(isShown("[data-again]"), false);
});
