/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges of documents and process: P01, P02, P04, P05, P08, P11. Pure (judge.h): they read the bytes that were kept, as hostile
 * input, and the declaration and records of the plan.
 */
#include "lab/judge.h"
#include "base/text.h"
#include "base/timex.h"
#include "sbom/cyclonedx.h"
#include <stdio.h>
#include <string.h>

/* The kept page of this check: present and answered 200; else says why not. A missing page is a FAIL, a missing site is not. */
static const struct ctm_trace_blob *page(struct ctm_view *v, const char *kind, const char *what, const struct ctm_obs **obs)
{
	const struct ctm_obs *o = *obs = v_own(v, kind);
	const struct ctm_trace_blob *b;

	if (!o || !ctm_json_getb(o->data, "given", false)) {
		v_say(v, o && strstr(j_text(o->data, "why"), "bench") ? CTM_V_INCONCLUSIVE : CTM_V_FAIL, "%s could not be looked at: %s.", what, o ? j_text(o->data, "why") : "nothing was recorded");
		return NULL;
	}
	if (ctm_json_geti(o->data, "status", 0) == 0) {
		v_say(v, CTM_V_INCONCLUSIVE, "The maker's site did not answer: %s.", j_text(o->data, "no_answer"));
		return NULL;
	}
	b = v_blob(v, j_text(o->data, "blob"));
	if (ctm_json_geti(o->data, "status", 0) != 200 || !b) {
		v_say(v, CTM_V_FAIL, "%s is not there: %s answers %lld.", what, j_text(o->data, "url"), (long long)ctm_json_geti(o->data, "status", 0));
		return NULL;
	}
	if (!ctm_utf8_valid(b->p, b->n) || memchr(b->p, '\0', b->n)) {
		v_say(v, CTM_V_FAIL, "%s is not UTF-8 text.", what);
		return NULL;
	}
	return b;
}

/* ---- P01 (RFC 9116) ---- */

struct security_txt { int contacts, bad_contacts, expires, policies; int64_t expires_ms; };

static void field(struct security_txt *s, const char *name, size_t n, const char *value)
{
	if (n == 7 && strncasecmp(name, "contact", 7) == 0) {
		if (ctm_starts(value, "https://") || ctm_starts(value, "mailto:") || ctm_starts(value, "tel:"))
			s->contacts++;
		else
			s->bad_contacts++;
	} else if (n == 7 && strncasecmp(name, "expires", 7) == 0) {
		s->expires++;
		if (ctm_time_parse(value, &s->expires_ms))
			s->expires_ms = -1;
	} else if (n == 6 && strncasecmp(name, "policy", 6) == 0) {
		s->policies++;
	}
}

static struct security_txt read_security_txt(const char *p)
{
	struct security_txt s = { 0 };
	char line[1024];

	while (*p) {
		size_t n = strcspn(p, "\n"), k = n < sizeof line ? n : sizeof line - 1;
		char *colon;
		memcpy(line, p, k);
		line[k] = '\0';
		while (k && (line[k - 1] == '\r' || line[k - 1] == ' '))
			line[--k] = '\0';
		if (line[0] != '#' && (colon = strchr(line, ':')))
			field(&s, line, (size_t)(colon - line), colon + 1 + strspn(colon + 1, " \t"));
		p += n + (p[n] == '\n');
	}
	return s;
}

V_JUDGE(security_txt)
{
	const struct ctm_obs *o;
	const struct ctm_trace_blob *b = page(v, "site.security-txt", "security.txt", &o);
	int64_t year_ms = 366LL * 86400000;
	struct security_txt s;

	if (!b)
		return;
	s = read_security_txt(b->p);
	if (!ctm_starts(j_text(o->data, "type"), "text/plain"))
		v_say(v, CTM_V_FAIL, "It is served as \"%s\", not text/plain (RFC 9116 section 3).", j_text(o->data, "type"));
	if (!s.contacts)
		v_say(v, CTM_V_FAIL, "There is no Contact that is a web, mail or telephone address (RFC 9116 section 2.5.3).");
	if (s.bad_contacts)
		v_say(v, CTM_V_FAIL, "A Contact is not a URI, or one over plain HTTP.");
	if (s.expires != 1)
		v_say(v, CTM_V_FAIL, "Expires must stand there exactly once (RFC 9116 section 2.5.5), it stands %d times.", s.expires);
	else if (s.expires_ms < 0)
		v_say(v, CTM_V_FAIL, "Expires is not a date and time.");
	else if (s.expires_ms <= o->at_ms)
		v_say(v, CTM_V_FAIL, "It had expired when it was read.");
	else if (s.expires_ms > o->at_ms + year_ms)
		v_note(v, "Expires lies more than a year ahead; RFC 9116 recommends less.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "security.txt is served over HTTPS, names %d contact(s) and is in date.", s.contacts);
}

/* ---- P02 ---- */

V_JUDGE(disclosure_policy)
{
	const struct ctm_obs *o;
	const struct ctm_trace_blob *b = page(v, "site.policy", "The disclosure policy", &o);
	const ctm_json *sections = v_param(v, "sections"), *words;
	const char *name;
	void *it = NULL;
	int found = 0;

	if (!b)
		return;
	while (ctm_json_each(sections, &it, &name, &words)) {
		bool has = false;
		for (size_t i = 0; i < ctm_json_len(words) && !has; i++) {
			const char *w = ctm_json_str(ctm_json_at(words, i));
			has = w && strcasestr(b->p, w);
		}
		if (has)
			found++;
		else
			v_say(v, CTM_V_FAIL, "The policy does not speak of: %s.", name);
	}
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "The policy named by security.txt speaks of all %d required points.", found);
}

/* ---- P04 ---- */

V_JUDGE(support_end)
{
	static const char *const where[] = { "release", "registry", "manifest" };
	const struct ctm_obs *o = v_own(v, "support-end");
	const char *first = NULL, *first_where = "";
	int64_t end = 0;
	int n = 0;

	for (size_t i = 0; o && i < 3; i++) {
		const char *s = ctm_json_gets(o->data, where[i]);
		if (!s)
			continue;
		n++;
		if (strlen(s) != 10 || ctm_time_parse(s, &end))
			v_say(v, CTM_V_FAIL, "The support end in the %s is not a date: \"%s\".", where[i], s);
		else if (first && strcmp(first, s) != 0)
			v_say(v, CTM_V_FAIL, "The %s says support ends on %s, the %s says %s.", where[i], s, first_where, first);
		if (!first) {
			first = s;
			first_where = where[i];
		}
	}
	if (n == 0)
		v_say(v, CTM_V_INCONCLUSIVE, "No support end was given to the bench.");
	else if (strcmp(first, j_text(o->data, "today")) < 0)
		v_say(v, CTM_V_FAIL, "Support ended on %s, before this evaluation.", first);
	if (n == 1)
		v_say(v, CTM_V_INCONCLUSIVE, "Only one source (%s) gives a support end, so there is nothing to compare.", first_where);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%d sources agree: supported until %s.", n, first);
}

/* ---- P05 ---- */

static const char *bare(const char *digest)
{
	return ctm_starts(digest, "sha256:") ? digest + 7 : digest;
}

/* Does the document, as parsed strictly, carry the digest of the release's image under metadata/component/hashes? */
static bool names_image(const struct ctm_trace_blob *b, const char *image)
{
	CTM_AUTO_JSON *doc = NULL;
	const ctm_json *hashes;

	if (!image[0] || ctm_json_parse(b->p, b->n, CTM_TRACE_BLOB_MAX, "sbom", &doc, NULL))
		return false;
	hashes = ctm_json_get(ctm_json_get(ctm_json_get(doc, "metadata"), "component"), "hashes");
	for (size_t i = 0; i < ctm_json_len(hashes); i++)
		if (strcmp(j_text(ctm_json_at(hashes, i), "alg"), "SHA-256") == 0 && strcasecmp(j_text(ctm_json_at(hashes, i), "content"), bare(image)) == 0)
			return true;
	return false;
}

V_JUDGE(sbom)
{
	const struct ctm_obs *o = v_own(v, "sbom");
	const struct ctm_trace_blob *b = o ? v_blob(v, j_text(o->data, "blob")) : NULL;
	CTM_AUTO_JSON *s = NULL;
	const ctm_json *missing;
	struct ctm_err why = { 0 };
	const char *version;

	if (!b) {
		v_say(v, CTM_V_INCONCLUSIVE, "No SBOM was given: %s.", o ? j_text(o->data, "why") : "nothing was recorded");
		return;
	}
	if (ctm_cyclonedx_read(b->p, b->n, "SBOM", &s, &why)) {
		v_say(v, CTM_V_FAIL, "The SBOM cannot be read: %s (at %s).", why.msg, why.field[0] ? why.field : "the document");
		return;
	}
	missing = ctm_json_get(s, "missing");
	for (size_t i = 0; i < ctm_json_len(missing); i++)
		v_say(v, CTM_V_FAIL, "Minimum element missing: %s.", ctm_json_str(ctm_json_at(missing, i)));
	version = j_text(ctm_json_get(s, "subject"), "version");
	if (strcmp(version, j_text(o->data, "release_version")) != 0)
		v_say(v, CTM_V_FAIL, "The SBOM is of version \"%s\", the release is \"%s\".", version, j_text(o->data, "release_version"));
	if (!names_image(b, j_text(o->data, "release_image")))
		v_say(v, CTM_V_FAIL, "The SBOM's subject does not carry the digest of the release's image.");
	if (ctm_json_geti(ctm_json_get(s, "counts"), "components", 0) == 0)
		v_say(v, CTM_V_FAIL, "The SBOM lists no component.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "The SBOM (%s %s) lists %lld components with all minimum elements and is of this release's image.", j_text(s, "format"), j_text(s, "spec_version"),
			(long long)ctm_json_geti(ctm_json_get(s, "counts"), "components", 0));
}

/* ---- P08 ---- */

static bool listed(const ctm_json *data, const char *name)
{
	for (size_t i = 0; i < ctm_json_len(data); i++)
		if (strcmp(j_text(ctm_json_at(data, i), "name"), name) == 0)
			return true;
	return false;
}

V_JUDGE(data_list)
{
	const ctm_json *data = ctm_json_get(v->facts->declaration, "data"), *settings = ctm_json_get(v->facts->declaration, "settings"),
		*out = ctm_json_get(v->facts->declaration, "destinations");

	if (ctm_json_len(data) == 0) {
		v_say(v, CTM_V_FAIL, "The declaration lists no data at all.");
		return;
	}
	for (size_t i = 0; i < ctm_json_len(data); i++) {
		const ctm_json *d = ctm_json_at(data, i);
		if (!j_text(d, "purpose")[0] || !j_text(d, "retention")[0] || ctm_json_type(ctm_json_get(d, "deleted_by_reset")) != CTM_J_BOOL)
			v_say(v, CTM_V_FAIL, "Data \"%s\" lacks its purpose, its retention or whether a reset deletes it.", j_text(d, "name"));
	}
	for (size_t i = 0; i < ctm_json_len(settings); i++) {
		const ctm_json *s = ctm_json_at(settings, i);
		if (strcmp(j_text(s, "privacy"), "personal") == 0 && !listed(data, j_text(s, "name")))
			v_say(v, CTM_V_FAIL, "Setting \"%s\" is personal and not in the list of data.", j_text(s, "name"));
	}
	for (size_t i = 0; i < ctm_json_len(out); i++)
		if (!j_text(ctm_json_at(out, i), "host")[0] || !j_text(ctm_json_at(out, i), "purpose")[0])
			v_say(v, CTM_V_FAIL, "A destination lacks its host or its purpose.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%zu kinds of data are listed with purpose, retention and deletion, %zu destinations with their purpose; personal settings are among them.",
			ctm_json_len(data), ctm_json_len(out));
}

/* ---- P11 ---- */

V_JUDGE(attestations)
{
	const ctm_json *records = v->facts->records;
	static const char *const fields[] = { "text", "by", "justification", "expires" };
	int n = 0;

	for (size_t i = 0; i < ctm_json_len(records); i++) {
		const ctm_json *r = ctm_json_at(records, i);
		if (strcmp(j_text(r, "method"), "attestation") != 0)
			continue;
		n++;
		for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
			if (!j_text(r, fields[k])[0])
				v_say(v, CTM_V_FAIL, "The attestation for %s on %s lacks \"%s\".", j_text(r, "outcome"), j_text(r, "component"), fields[k]);
	}
	if (n == 0)
		v_say(v, CTM_V_NOT_APPLICABLE, "No attestation takes the place of a test or an inspection in this evaluation.");
	else if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%d attestation(s) say what is claimed, by whom, why it cannot be tested, and until when.", n);
}
