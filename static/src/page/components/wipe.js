// SPDX-License-Identifier: AGPL-3.0-or-later
// What a module holds of a person is forgotten when that person leaves.

/**
 * Call `forget` when "Leave now" is pressed (page/leave.js says so by this event).
 *
 * @param {() => void} forget
 */
export function onLeave(forget) {
  document.addEventListener("amparo-leave", forget, { once: true });
}
