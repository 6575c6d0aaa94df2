// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSuccessor, isInForce, membersOn, readCharter, readersOn } from "../../../static/src/formats/charter.js";
import { charterNote, charterOf } from "../commission.mjs";
import { loadVectors, testVectors } from "../vectors.mjs";

const written = ({ name, keyId, publicKey }) =>
  `${name}+${keyId}+${Buffer.from([1, ...publicKey]).toString("base64")}`;

for (const { name, input, value, error } of loadVectors("charter", "read")) {
  test(`charter, read: ${name}`, () => {
    if (error) {
      assert.throws(
        () => readCharter(charterNote(input.note)),
        (thrown) => {
          assert.equal(thrown.name, error, String(thrown.stack));
          return true;
        },
      );
      return;
    }
    const charter = readCharter(charterNote(input.note));
    const { hash, slug, number, previous, origin, realm, urgency } = charter;
    assert.deepEqual(
      { hash, slug, number, previous, origin, realm, urgency, portal: written(charter.portal), slots: charter.slots },
      {
        hash: value.hash,
        slug: value.slug,
        number: value.number,
        previous: value.previous,
        origin: value.origin,
        realm: value.realm,
        urgency: value.urgency,
        portal: value.portal,
        slots: value.slots,
      },
    );
  });
}

testVectors("charter", "succeed", ({ previous, following }) => {
  checkSuccessor(readCharter(charterNote(previous)), readCharter(charterNote(following)));
  return null;
});

testVectors("charter", "members", ({ note, day }) => membersOn(readCharter(charterNote(note)), day).map(({ label }) => label));

for (const { name, input, error } of loadVectors("charter", "in-force")) {
  test(`charter, in-force: ${name}`, () => {
    assert.equal(isInForce(readCharter(charterNote(input.note)), input.day), error === undefined);
  });
}

test("reports are not sealed to members who see no content by their roles", () => {
  const charter = charterOf("first");
  const [registrar] = charter.members;
  const labels = (roles) => readersOn({ ...charter, members: [{ ...registrar, roles }] }, "2026-05-01").length;
  assert.deepEqual([["auditor"], ["administrator", "auditor"], []].map(labels), [0, 0, 0]);
  assert.deepEqual([["administrator", "triage"], registrar.roles].map(labels), [1, 1]);
});
