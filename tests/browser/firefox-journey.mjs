// SPDX-License-Identifier: AGPL-3.0-or-later
// A report and a return in Firefox, by WebDriver BiDi, under the settings of somebody who hardens it: no WebAssembly, no
// compiler of scripts, no fingerprint. test_firefox.py starts it and compares what it says.
//
//     node firefox-journey.mjs '{"firefox", "profile", "origin", "commission", "file", "code", "message", "timeout"}'
import puppeteer from "../../static/node_modules/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js";

const asked = JSON.parse(process.argv[2]);

const HARDENED = {
  "javascript.options.wasm": false,
  "javascript.options.asmjs": false,
  "javascript.options.baselinejit": false,
  "javascript.options.ion": false,
  "javascript.options.native_regexp": false,
  "privacy.resistFingerprinting": true,
};
// Whatever the browser asks for by itself meets a proxy where nobody listens; loopback goes past it.
const ALONE = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.dns.disablePrefetch": true,
  "app.update.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.enabled": false,
  "services.settings.server": "data:,",
};

const panel = (name) => `[data-panel="${name}"]:not([hidden])`;
const texts = (page, selector) => page.$$eval(selector, (found) => found.map((each) => each.textContent.trim()));

/** @param {string} selector of something that comes into sight */
const see = (page, selector) => page.waitForSelector(selector, { visible: true });

async function press(page, selector) {
  const button = await see(page, selector);
  await button.click();
}

async function write(page, selector, text) {
  const field = await see(page, selector);
  await field.type(text);
}

async function typeBack(page) {
  const groups = await texts(page, `${panel("code")} .code__group`);
  const labels = await texts(page, "[data-back-label]");
  const fields = await page.$$("[data-back-field]");
  for (const [index, field] of fields.entries()) await field.type(groups[Number(labels[index].split(" ").at(-1)) - 1]);
}

/** From the first panel to "It has arrived". */
async function report(page) {
  await page.goto(`${asked.origin}/en/${asked.commission}/report`);
  await see(page, '[data-report][data-ready][data-tried=""]');
  await press(page, `${panel("before")} [data-next]`);
  await press(page, `${panel("p-who")} [data-next]`);
  await write(page, "#q-story", asked.message);
  await (await page.$("#q-files")).uploadFile(asked.file);
  await see(page, '.files__item [data-state="other"]:not([hidden])');
  await press(page, `${panel("p-what")} [data-next]`);
  await press(page, `${panel("check")} [data-next]`);
  await see(page, `${panel("code")} :is([data-charter-day], [data-charter-old]):not([hidden])`);
  await typeBack(page);
  await press(page, `${panel("code")} [data-send]`);
  await see(page, panel("sent"));
}

/** A mailbox with an answer is opened and written to; what is said of it then, after it is opened again. */
async function comeBack(page) {
  await openMailbox(page);
  const letters = await texts(page, ".letter [data-body]");
  await write(page, "#body", asked.message);
  await press(page, "[data-follow-up] [data-send]");
  await see(page, "[data-followed-up]");
  await openMailbox(page);
  return { letters, sent: (await texts(page, ".sent__item [data-number]")).length };
}

async function openMailbox(page) {
  await page.goto(`${asked.origin}/en/return`);
  await see(page, '[data-return][data-ready][data-tried=""]');
  await write(page, "#code", asked.code);
  await press(page, `${panel("enter")} [data-open]`);
  await see(page, panel("mailbox"));
}

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: asked.firefox,
  userDataDir: asked.profile,
  extraPrefsFirefox: { ...ALONE, ...HARDENED },
  timeout: asked.timeout,
  protocolTimeout: asked.timeout,
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(asked.timeout);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await report(page);
  const back = await comeBack(page);
  const hardened = await page.evaluate(() => typeof WebAssembly === "undefined" && new Date().getTimezoneOffset() === 0);
  console.log(JSON.stringify({ ...back, hardened, errors }));
} finally {
  await browser.close();
}
