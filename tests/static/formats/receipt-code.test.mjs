// SPDX-License-Identifier: AGPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { deriveSecrets } from "../../../static/src/formats/derive.js";
import { encodeHex } from "../../../static/src/formats/encoding.js";
import {
  ReceiptCodeError,
  addChecks,
  groups,
  newCode,
  parseCode,
  wholeMatches,
  wrongGroups,
} from "../../../static/src/formats/receipt-code.js";
import { testByChance } from "../chance.mjs";
import { loadVectors, testVectors } from "../vectors.mjs";

testVectors("receipt-code", "create", ({ digits }) => addChecks(digits));
testVectors("receipt-code", "derive", async ({ digits, realm }) => {
  const secrets = await deriveSecrets(digits, realm);
  return {
    mailbox_id: secrets.mailbox,
    token: encodeHex(secrets.token),
    token_sha256: secrets.tokenSha256,
    mailbox_seed: encodeHex(secrets.mailboxSeed),
    recipient: secrets.recipient,
    control_seed: encodeHex(secrets.controlSeed),
    control: secrets.control,
    message_mac: encodeHex(secrets.messageMac),
    leaf_nonce: encodeHex(secrets.leafNonce),
    state_mac: encodeHex(secrets.stateMac),
  };
});

for (const { name, input, value, error, reason, groups: wrong } of loadVectors("receipt-code", "parse")) {
  test(`receipt-code, parse: ${name}`, () => {
    if (!error) {
      assert.equal(parseCode(input.text), value);
      return;
    }
    assert.throws(
      () => parseCode(input.text),
      (thrown) => {
        assert.ok(thrown instanceof ReceiptCodeError);
        assert.deepEqual([thrown.reason, thrown.groups], [reason, wrong]);
        return true;
      },
    );
  });
}

testByChance("a new code is read back from its groups and differs from the next one", (fill) => {
  const code = newCode(fill);
  assert.match(code, /^[0-9]{35}$/);
  assert.equal(groups(code).length, 7);
  assert.equal(parseCode(groups(code).join(" ")), code);
  assert.notEqual(newCode(fill), code);
  assert.notEqual(newCode(), newCode());
});

test("bytes above 249 are thrown away, so that no digit is likelier than another", () => {
  const source = [...Array(26).fill(255), ...Array(26).fill(17)];
  const code = newCode((bytes) => bytes.set(source.splice(0, bytes.length)) ?? bytes);
  assert.equal(code, addChecks("7".repeat(26)));
});

testByChance("every wrong digit and every two neighbours in the wrong order are found, with their group", (fill) => {
  const code = newCode(fill);
  for (let at = 0; at < code.length; at++) {
    const wrong = code.slice(0, at) + ((Number(code[at]) + 1 + (at % 9)) % 10) + code.slice(at + 1);
    assert.deepEqual(refusal(wrong).groups, [Math.floor(at / 5) + 1]);
    const swapped = code.slice(0, at) + code[at + 1] + code[at] + code.slice(at + 2);
    if (at % 5 < 4 && swapped !== code) assert.deepEqual(refusal(swapped).groups, [Math.floor(at / 5) + 1]);
  }
});

testByChance("two digits swapped across a third are found, by the whole where their group does not see it", (fill) => {
  for (let round = 0; round < 20; round++) {
    const code = newCode(fill);
    for (let at = 0; at < code.length - 2; at++) {
      const jump = code.slice(0, at) + code[at + 2] + code[at + 1] + code[at] + code.slice(at + 3);
      if (jump === code) continue;
      const { reason, groups: named } = refusal(jump);
      const wrong = wrongGroups(jump);
      assert.deepEqual([reason, named], [wrong.length > 0 ? "group" : "code", wrong]);
    }
  }
});

testByChance("the whole of a code matches, and does not with another digit in it", (fill) => {
  const code = newCode(fill);
  assert.equal(wholeMatches(code), true);
  for (let at = 0; at < code.length; at++) {
    const wrong = code.slice(0, at) + ((Number(code[at]) + 1) % 10) + code.slice(at + 1);
    // The check digits of the groups do not count.
    assert.equal(wholeMatches(wrong), at % 5 === 4);
  }
});

function refusal(text) {
  try {
    parseCode(text);
  } catch (error) {
    return error;
  }
  throw new Error("was taken for a code");
}
