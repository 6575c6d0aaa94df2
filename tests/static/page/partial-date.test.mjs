// SPDX-License-Identifier: AGPL-3.0-or-later
// Dates as people write them: parts that are unknown, digits of any script, other calendars, days to come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PageClock } from "../../../static/src/page/clock.js";
import { dateAnswer, dateProblem, dateWords } from "../../../static/src/page/components/partial-date.js";
import { element } from "./elements.mjs";

const TOMORROW = "2026-03-04";
const MONTHS = { 2: "February", 3: "March", 12: "December" };

function dateField(day, month, year, { about = false, ...dataset } = {}) {
  const selectedOptions = [{ text: `${month} · ${MONTHS[month]}` }];
  const fields = { day: { value: day }, month: { value: month, selectedOptions }, year: { value: year }, about: { checked: about } };
  const found = Object.entries(fields).map(([name, field]) => [`[data-part="${name}"]`, [element({ id: `q-${name}`, ...field })]]);
  return element({ dataset }, Object.fromEntries(found));
}

const cases = [
  ["5", "3", "2025", "5 March 2025", { year: 2025, month: 3, day: 5 }],
  ["", "3", "2025", "March 2025", { year: 2025, month: 3, day: null }],
  ["", "", "2025", "2025", { year: 2025, month: null, day: null }],
  ["5", "", "2025", "day 5 of a month of 2025", { year: 2025, month: null, day: 5 }],
  ["٥", "3", "٢٠٢٥", "5 March 2025", { year: 2025, month: 3, day: 5 }],
  ["๕", "3", "၂၀၂၅", "5 March 2025", { year: 2025, month: 3, day: 5 }],
  [" 5. ", "3", "(2025)", "5 March 2025", { year: 2025, month: 3, day: 5 }],
  ["4", "3", "2026", "4 March 2026", { year: 2026, month: 3, day: 4 }],
  ["29", "2", "2024", "29 February 2024", { year: 2024, month: 2, day: 29 }],
];
for (const [day, month, year, words, answer] of cases) {
  test(`${words} is understood from ${day}|${month}|${year}`, () => {
    const field = dateField(day, month, year);
    assert.equal(dateProblem(field, TOMORROW), null);
    assert.deepEqual(dateAnswer(field), { ...answer, about: false });
    assert.equal(dateWords(field), words);
  });
}

const refused = [
  ["5", "3", "", "Write the year too", "q-year"],
  ["5", "3", "25", "four digits", "q-year"],
  ["5", "3", "2O25", "four digits", "q-year"],
  ["31", "2", "2025", "There is no such day: 31 February 2025", "q-day"],
  ["29", "2", "2025", "There is no such day: 29 February 2025", "q-day"],
  ["32", "", "2025", "There is no such day: day 32 of a month of 2025", "q-day"],
  ["0", "3", "2025", "There is no such day", "q-day"],
  ["1/2", "3", "2025", "There is no such day.", "q-day"],
  ["1.2", "3", "2025", "There is no such day.", "q-day"],
  ["xx", "3", "2025", "There is no such day.", "q-day"],
  ["5", "3", "2026", "still to come", "q-year"],
  ["", "12", "2026", "still to come", "q-year"],
  ["", "", "2027", "still to come", "q-year"],
  ["5", "", "2027", "still to come", "q-year"],
  ["", "", "9999", "still to come", "q-year"],
  ["", "", "1299", "four digits", "q-year"],
];
for (const [day, month, year, words, field] of refused) {
  test(`${day}|${month}|${year} is named: ${words}`, () => {
    const problem = dateProblem(dateField(day, month, year), TOMORROW);
    assert.ok(problem?.message.includes(words), problem?.message);
    assert.equal(problem?.field, field);
    assert.equal(problem?.mend, undefined);
  });
}

test("a day to come is taken where it makes sense, and one that does not exist is not", () => {
  assert.equal(dateProblem(dateField("5", "3", "2027", { toCome: "" }), TOMORROW), null);
  assert.match(dateProblem(dateField("31", "2", "2027", { toCome: "" }), TOMORROW)?.message ?? "", /no such day/);
});

const years = [
  ["1403", "Solar Hijri", "2024–2025", "2024", true],
  ["۱۴۰۳", "Solar Hijri", "2024–2025", "2024", true],
  ["1410", "Solar Hijri", "2031–2032", "2031", true],
  ["1440", "Hijri", "2018–2019", "2018", true],
  ["1446", "Hijri", "2024–2025", "2024", true],
  ["١٤٤٧", "Hijri", "2025–2026", "2025", true],
  ["2567", "Buddhist", "2024", "2024", false],
  ["๒๕๖๘", "Buddhist", "2025", "2025", false],
];
for (const [year, calendar, named, ours, about] of years) {
  test(`the year ${year} is one of the ${calendar} calendar, and a tap makes it ${ours}`, () => {
    const field = dateField("", "", year);
    const problem = dateProblem(field, TOMORROW);
    assert.ok(problem?.message.includes(`the ${calendar} calendar`) && problem.message.includes(named), problem?.message);
    problem.mend.run();
    assert.deepEqual(dateAnswer(field), { year: Number(ours), month: null, day: null, about });
  });
  test(`with a month the year ${year} is named and not changed`, () => {
    const problem = dateProblem(dateField("", "3", year), TOMORROW);
    assert.ok(problem?.message.includes(`the ${calendar} calendar`));
    assert.equal(problem.mend, undefined);
  });
}

test("every Hijri year begins in the year that is named", () => {
  // The first days of these years by the tables of Umm al-Qura.
  const begins = { 1420: 1999, 1430: 2008, 1440: 2018, 1443: 2021, 1444: 2022, 1445: 2023, 1446: 2024, 1447: 2025, 1448: 2026, 1450: 2028 };
  for (const [hijri, ours] of Object.entries(begins)) {
    const field = dateField("", "", hijri);
    dateProblem(field, "2100-01-01").mend.run();
    assert.equal(dateAnswer(field)?.year, ours);
  }
});

test("a clock that is behind makes nothing come that is past", ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: Date.parse("1970-01-01T00:00:00Z") });
  const clock = new PageClock();
  assert.deepEqual([clock.today, clock.tomorrow], ["1970-01-01", "1970-01-02"]);
  clock.note("2026-03-03");
  clock.note("2025-01-01");
  assert.deepEqual([clock.today, clock.tomorrow], ["2026-03-03", "2026-03-04"]);
});
