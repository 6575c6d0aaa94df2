// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Let the person save a text as a file.
 *
 * @param {string} name says nothing of what it is for
 * @param {string} text
 */
export function saveFile(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  // The browser has taken its own hold of the bytes by the next turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
