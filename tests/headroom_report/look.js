/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What a person would see: whether a tile wraps, or the page is wider than the window, and the values under
   a pointer that is in the middle of the first plot. */
const area = document.querySelector(".area");
const box = area.getBoundingClientRect();
area.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + box.width / 3 }));
const values = [...document.querySelectorAll(".key output")].map(output => output.textContent);
/* A table may be scrolled. */
const outside = [...document.querySelectorAll("body *")].find(element =>
  !element.closest(".wide table") && element.getBoundingClientRect().right > window.innerWidth);
const wraps = [...document.querySelectorAll(".tile *")].find(element =>
  element.getClientRects().length > 1 || element.offsetHeight > 32);
const fits = wraps ? wraps.textContent + " wraps" : outside ? outside.outerHTML.slice(0, 60) + " overflows" : "fits";
parent.postMessage(fits + " in " + window.innerWidth + ": " + values.join(" "), "*");
