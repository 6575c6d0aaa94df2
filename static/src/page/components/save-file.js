// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Let the person save a text as a file.
 *
 * @param {string} name does not reveal its purpose
 * @param {string} text
 */
export function saveFile(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  // By the next turn of the event loop the browser has its own reference to the bytes.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
