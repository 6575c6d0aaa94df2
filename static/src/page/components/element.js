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
