// SPDX-License-Identifier: AGPL-3.0-or-later
// What the page does with text: it finds what it should in every script, keeps what can be read, and never takes long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson } from "../../../static/src/formats/canonical-json.js";
import { cleanMediaType } from "../../../static/src/formats/attachment.js";
import { cleanName } from "../../../static/src/formats/file-name.js";
import { parseCode } from "../../../static/src/formats/receipt-code.js";
import { readCode, readDigits } from "../../../static/src/formats/receipt-text.js";
import { compareNote } from "../../../static/src/page/components/mailbox-status.js";
import { holdsTraces } from "../../../static/src/page/components/traces.js";
import { typedText } from "../../../static/src/page/components/typed.js";

for (const text of [
  "write to amina@example.org",
  "أرسل إلى amina@example.org اليوم",
  "пиши на амина@пример.рф",
  "请写信给amina@example.org谢谢",
  "he is @amina_h there",
  "她是（@amina_h）",
  "@amina",
  "see https://example.org/a",
  "看https://example.org/a",
  "WWW.example.org",
  "call 0176 123 456 78",
  "+49 (176) 12345678",
  "+1234567",
  "0049 1234567",
  "اتصل ٠١٧٦ ١٢٣ ٤٥٦ ٧٨",
  "फ़ोन ९८७६५४३२१०",
  "电话13812345678",
  "Weg 5, 10115 Berlin",
  "ул. 5, 10115 Берлин",
]) {
  test(`a person is asked to look again: ${text}`, () => assert.equal(holdsTraces(text), true));
}

for (const text of [
  "",
  "They took my brother and showed no paper.",
  "@ five",
  "3 March 2026, 12:30",
  "2026-03-03",
  "٣ مارس ٢٠٢٦",
  "one@two",
  "ab@cd.e",
  "10115 berlin",
  "They were 12 and had 1234 reasons",
  "他们带走了我的兄弟",
]) {
  test(`nobody is asked: ${text}`, () => assert.equal(holdsTraces(text), false));
}

// What somebody may hold a key on, paste from a broken document, or paste to see whether the page breaks.
const PIECES = {
  Latin: "a",
  Chinese: "他",
  Arabic: "س",
  Devanagari: "न",
  emoji: "😀",
  "Arabic words": "سلام عليكم ",
  digits: "1",
  "Arabic digits": "٣",
  "digits of a chess board": "1 ",
  "digits far apart": "1(((",
  "eight digits": "12345678a",
  zeros: "00",
  pluses: "+",
  ats: "@",
  "letters and ats": "a@",
  "an at and no dot": "a@aaaa ",
  dots: ".",
  "dots after an at": "a@a.",
  slashes: "/",
  "a scheme": "http://",
  "half a scheme": "http:/",
  spaces: " ",
  "a postcode and spaces": "10115 ",
  newlines: "\n",
  "carriage returns": "\r",
  NUL: "\0",
  "lone surrogates": "\ud800",
  "zero-width spaces": "\u200b",
  "combining marks": "\u0301\u0323",
  tags: "\u{e0041}",
  "right-to-left overrides": "\u202e",
  fillers: "\u3164",
  backslashes: "\\",
  quotes: '"',
  question: "?",
  numbering: "1) ",
  "a word and a space": "ab ",
};
const FUNCTIONS = {
  holdsTraces,
  typedText,
  readCode,
  readDigits,
  parseCode: (text) => assert.throws(() => parseCode(text)),
  cleanName,
  cleanMediaType,
  compareNote: (text) => compareNote(text, null),
  encodeJson: (text) => encodeJson({ text: typedText(text) }),
};

for (const [name, run] of Object.entries(FUNCTIONS)) {
  // What grows with the square of the text takes many minutes for this.
  test(`${name} reads 200,000 characters of anything at once`, { timeout: 60_000 }, () => {
    for (const piece of Object.values(PIECES)) {
      const whole = piece.repeat(Math.ceil(200_000 / piece.length));
      for (const text of [`${whole}@`, `00 ${whole} 1`]) run(text);
    }
  });
}

test("a broken or a control character is sent as U+FFFD, in its place", () => {
  assert.equal(typedText(" a\ud800b\udc00 "), "a\ufffdb\ufffd");
  assert.equal(typedText("a\0b\x1b[0m\x7f\x9f"), "a\ufffdb\ufffd[0m\ufffd\ufffd");
  assert.equal(typedText("page one\fpage two\vthree\x85four"), "page one page two three four");
  assert.equal(cleanName("a\ud800.txt"), "a.txt");
});

test("what can be read stays as it was written", () => {
  for (const text of ["می‌خواهم", "क्‍ष", "👨‍👩‍👧", "a\tb\nc", "שָׁלוֹם", "e\u0301", "\u{e000}", "\u{10ffff}", "\u0378", "0", "."]) {
    assert.equal(typedText(text), text);
  }
});

for (const text of ["", " \n\t", "\u200b", "\u2060\ufeff", "\ufe0f", "\u3164\u115f\u1160\uffa0", "\u2800 \u2800", "\u0301\u0323", "\u{e0041}", "\u202e\u2066", "\0\x01", "\u00ad", "\u180e\u034f"]) {
  test(`nothing was written: ${JSON.stringify(text)}`, () => assert.equal(typedText(text), ""));
}
