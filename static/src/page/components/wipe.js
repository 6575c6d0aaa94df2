// SPDX-License-Identifier: AGPL-3.0-or-later
// Modules forget a person's data when the person leaves.

/**
 * Call `forget` when "Leave now" is pressed (page/leave.js says so by this event).
 *
 * @param {() => void} forget
 */
export function onLeave(forget) {
  document.addEventListener("amparo-leave", forget, { once: true });
}
