// SPDX-License-Identifier: Apache-2.0
// Small comforts; every task works without them. Times get the reader's own zone beside UTC, a running evaluation
// refreshes in place, and a cell of the matrix opens its evidence without leaving the page.
"use strict";
const lang = document.documentElement.lang || "en";

function localTimes(root) {
	for (const t of root.querySelectorAll("time[datetime*='T']")) {
		const when = new Date(t.dateTime);
		if (!isNaN(when))
			t.title = when.toLocaleString(lang, { dateStyle: "full", timeStyle: "long" }) + (t.title ? " (" + t.title + ")" : "");
	}
}

async function fetchMain(url) {
	const answer = await fetch(url, { headers: { Accept: "text/html" } });
	if (!answer.ok)
		throw new Error(answer.status);
	return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
}

function refreshLive() {
	const live = document.querySelector("[data-live]");
	if (!live || document.hidden || document.querySelector("dialog[open]"))
		return live && setTimeout(refreshLive, 2000);
	setTimeout(async () => {
		try {
			const fresh = await fetchMain(location.href), now = document.querySelector("main");
			const open = [...now.querySelectorAll("details")].map(d => d.open);
			now.replaceChildren(...fresh.childNodes);
			now.querySelectorAll("details").forEach((d, i) => { if (i < open.length) d.open = open[i]; });
			localTimes(now);
		} catch { /* the next round tries again */ }
		refreshLive();
	}, 2000);
}

function openCells() {
	document.addEventListener("click", async event => {
		const cell = event.target.closest("a.cell");
		if (!cell || event.ctrlKey || event.metaKey || event.shiftKey || event.button || !window.HTMLDialogElement)
			return;
		event.preventDefault();
		try {
			const main = await fetchMain(cell.href), box = document.createElement("dialog"), body = document.createElement("div");
			const shut = document.createElement("button");
			shut.className = "shut";
			shut.textContent = document.body.dataset.close;
			shut.addEventListener("click", () => box.close());
			body.append(...main.childNodes);
			box.append(shut, body);
			box.addEventListener("close", () => { box.remove(); cell.focus(); });
			localTimes(box);
			document.body.append(box);
			box.showModal();
		} catch { location.href = cell.href; }
	});
}

localTimes(document);
refreshLive();
openCells();
