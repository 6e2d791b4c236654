// SPDX-License-Identifier: Apache-2.0
// Passkeys: the one task a page cannot do without script. A form marked data-passkey asks the server for a challenge, the
// browser for the answer, puts the answer into its hidden fields and is sent like any other form.
"use strict";

const toText = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const toBytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
const plain = text => new TextEncoder().encode(text);

async function ask(form, path) {
	const headers = { "Content-Type": "application/json", "X-CSRF-Token": form.elements.csrf ? form.elements.csrf.value : "" };
	const answer = await fetch(path, { method: "POST", headers, body: "{}" });
	const o = await answer.json();
	if (!answer.ok)
		throw new Error(o.detail);
	return o;
}

const doors = {
	async create(form) {
		const o = await ask(form, "/api/v1/passkeys/challenge");
		const made = await navigator.credentials.create({ publicKey: {
			challenge: toBytes(o.challenge), rp: { id: o.rp_id, name: o.rp_name }, timeout: o.timeout_ms, attestation: "none",
			user: { id: plain(o.user.id), name: o.user.name, displayName: o.user.display_name },
			pubKeyCredParams: o.algorithms.map(alg => ({ type: "public-key", alg })),
			excludeCredentials: o.exclude.map(id => ({ type: "public-key", id: toBytes(id) })),
			authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "preferred" },
		} });
		return { client_data: made.response.clientDataJSON, attestation: made.response.attestationObject };
	},
	async get(form) {
		const o = await ask(form, "/api/v1/signin/passkey/challenge");
		const used = await navigator.credentials.get({ publicKey: {
			challenge: toBytes(o.challenge), rpId: o.rp_id, timeout: o.timeout_ms, userVerification: "preferred",
		} });
		return { credential: used.rawId, client_data: used.response.clientDataJSON, auth_data: used.response.authenticatorData,
			signature: used.response.signature, user_handle: used.response.userHandle || new ArrayBuffer(0) };
	},
};

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
	form.hidden = false;
	form.addEventListener("submit", async event => {
		const says = form.querySelector("[role=status]"), button = form.querySelector("button");
		event.preventDefault();
		button.disabled = true;
		says.textContent = "";
		try {
			for (const [name, bytes] of Object.entries(await doors[form.dataset.passkey](form)))
				form.elements[name].value = toText(bytes);
			form.submit();
		} catch (e) {
			button.disabled = false;
			says.textContent = form.dataset.failed + (e && e.name === "Error" ? " " + e.message : "");
		}
	});
}
