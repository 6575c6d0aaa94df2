// SPDX-License-Identifier: AGPL-3.0-or-later
// Finds the parts of a page that our own template wrote. A missing one is a bug, and an error says so.

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function part(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export function parts(root, selector) {
  return [...root.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement);
}

/**
 * Return a copy of the first element of `<template data-template="name">`.
 *
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement}
 */
export function copyTemplate(root, name) {
  const template = /** @type {HTMLTemplateElement} */ (part(root, `template[data-template="${name}"]`));
  return /** @type {HTMLElement} */ (document.importNode(part(template.content, "*"), true));
}

/**
 * @param {HTMLElement} root
 * @param {string} name
 * @returns {string} the page's `data-…` value
 */
export function setting(root, name) {
  const value = root.dataset[name];
  if (value === undefined) throw new Error(`the page has no setting ${name}`);
  return value;
}

/**
 * Put in a text that somebody wrote. Browsers look for the end of a line in a run without a space again and again, half a
 * minute for 200 KB of Arabic, and nobody can leave meanwhile: so a long run is given ends. They are not seen.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function showText(element, text) {
  const parts = text.split(/(\S{200}\p{M}{0,9})/u);
  element.replaceChildren(...parts.flatMap((part) => (part ? [part, document.createElement("wbr")] : [])).slice(0, -1));
}
