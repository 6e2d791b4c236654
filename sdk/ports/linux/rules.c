/* SPDX-License-Identifier: Apache-2.0
 *
 * The packet filter and its neighbours: see rules.h. The ways of a declaration are read once, strictly; everything else is made of
 * the rows.
 */
#include "rules.h"
#include "agent.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct way {
	const char *name, *purpose;      /* id of an interface, host of a destination */
	bool udp;
	int port;
};

struct ways {
	struct way in[RULES_WAYS], out[RULES_WAYS];
	size_t nin, nout;
};

/* A host: a name (RFC 1123) or an address. */
static bool host_ok(const char *s)
{
	size_t n = strlen(s);

	return n && n <= 253 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:") == n && s[0] != '-' && s[0] != '.';
}

static int read_way(const json_t *o, const char *key, struct way *out)
{
	const char *transport = json_string_value(json_object_get(o, "transport")), *purpose = json_string_value(json_object_get(o, "purpose"));
	const json_t *port = json_object_get(o, "port");

	out->name = json_string_value(json_object_get(o, key));
	out->purpose = purpose ? purpose : "";
	out->udp = transport && strcmp(transport, "udp") == 0;
	out->port = (int)json_integer_value(port);
	if (!out->name || !*out->name || strlen(out->name) > 253 || (transport && !out->udp && strcmp(transport, "tcp") != 0) || !json_is_integer(port) ||
	    out->port < 1 || out->port > 65535)
		return CTM_SDK_INPUT;
	return strcmp(key, "host") || host_ok(out->name) ? 0 : CTM_SDK_INPUT;
}

static int read_ways(const json_t *d, const char *list, const char *key, struct way *out, size_t *n, struct why *w)
{
	const json_t *a = json_object_get(d, list);

	*n = 0;
	if (!json_is_array(a) || json_array_size(a) > RULES_WAYS)
		return why_say(w, CTM_SDK_INPUT, "the declaration's \"%s\" must be a list of at most %d", list, RULES_WAYS);
	for (size_t i = 0; i < json_array_size(a); i++)
		if (read_way(json_array_get(a, i), key, &out[(*n)++]))
			return why_say(w, CTM_SDK_INPUT, "/%s/%zu of the declaration needs %s, a port from 1 to 65535, and tcp or udp as transport", list, i, key);
	return 0;
}

static int all_ways(const json_t *d, struct ways *out, struct why *w)
{
	int rc = read_ways(d, "interfaces", "id", out->in, &out->nin, w);

	return rc ? rc : read_ways(d, "destinations", "host", out->out, &out->nout, w);
}

/* ---- nftables, in the JSON of libnftables-json(5) ---- */

static void add_chain(json_t *list, const char *name)
{
	json_array_append_new(list, json_pack("{s:{s:{s:s,s:s,s:s,s:s,s:s,s:i,s:s}}}", "add", "chain", "family", "inet", "table", RULES_TABLE, "name", name, "type",
		"filter", "hook", name, "prio", 0, "policy", "drop"));
}

/* A comment of nft holds 128 bytes; what is outside printable ASCII is left out. */
static void comment(char out[128], const char *a, const char *b)
{
	size_t n = 0;

	for (const char *s = a; *s && n < 60; s++)
		if (*s >= 0x20 && *s < 0x7f && *s != '"')
			out[n++] = *s;
	if (*b) {
		out[n++] = ':';
		out[n++] = ' ';
	}
	for (const char *s = b; *s && n < 120; s++)
		if (*s >= 0x20 && *s < 0x7f && *s != '"')
			out[n++] = *s;
	out[n] = 0;
}

/* Owns expr (an array). */
static void add_rule(json_t *list, const char *chain, json_t *expr, const char *says)
{
	json_array_append_new(list, json_pack("{s:{s:{s:s,s:s,s:s,s:o,s:s}}}", "add", "rule", "family", "inet", "table", RULES_TABLE, "chain", chain, "expr", expr, "comment",
		says));
}

static json_t *match_payload(const char *protocol, const char *field, json_t *right)
{
	return json_pack("{s:{s:s,s:{s:{s:s,s:s}},s:o}}", "match", "op", "==", "left", "payload", "protocol", protocol, "field", field, "right", right);
}

static json_t *match_meta(const char *key, json_t *right)
{
	return json_pack("{s:{s:s,s:{s:{s:s}},s:o}}", "match", "op", "==", "left", "meta", "key", key, "right", right);
}

static json_t *verdict(const char *word)
{
	return json_pack("{s:n}", word);
}

/* What any unit on any network needs; one row a rule: which chain, which protocol, the ports of the other or the own side. */
static const struct { const char *chain, *protocol; int port; const char *says; } ground[] = {
	{ "input", "udp", 68, "addresses by DHCP" }, { "input", "udp", 546, "addresses by DHCPv6" },
	{ "output", "udp", 67, "addresses by DHCP" }, { "output", "udp", 547, "addresses by DHCPv6" },
	{ "output", "udp", 53, "name look-ups" }, { "output", "tcp", 53, "name look-ups" },
};

static void add_ground(json_t *list)
{
	static const char *const chains[] = { "input", "output" };

	for (int i = 0; i < 2; i++) {
		add_rule(list, chains[i], json_pack("[o,o]", json_pack("{s:{s:s,s:{s:{s:s}},s:[s,s]}}", "match", "op", "in", "left", "ct", "key", "state", "right",
			"established", "related"), verdict("accept")), "answers");
		add_rule(list, chains[i], json_pack("[o,o]", match_meta(i ? "oif" : "iif", json_string("lo")), verdict("accept")), "the unit itself");
		add_rule(list, chains[i], json_pack("[o,o,o]", match_meta("l4proto", json_string("ipv6-icmp")), json_pack("{s:{s:i,s:s}}", "limit", "rate", 50, "per", "second"),
			verdict("accept")), "neighbours, routers, path size");
		add_rule(list, chains[i], json_pack("[o,o,o]", match_meta("l4proto", json_string("icmp")), json_pack("{s:{s:i,s:s}}", "limit", "rate", 50, "per", "second"),
			verdict("accept")), "path size, reachability");
	}
	for (size_t i = 0; i < sizeof ground / sizeof ground[0]; i++)
		add_rule(list, ground[i].chain, json_pack("[o,o]", match_payload(ground[i].protocol, "dport", json_integer(ground[i].port)), verdict("accept")), ground[i].says);
}

/* Addresses of a destination, by family, as arrays of texts. */
static void resolve(const char *host, json_t *v4, json_t *v6)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char text[INET6_ADDRSTRLEN];

	if (getaddrinfo(host, NULL, &hints, &list))
		return;
	for (struct addrinfo *i = list; i; i = i->ai_next) {
		json_t *to = i->ai_family == AF_INET ? v4 : v6;
		const void *at = i->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)(void *)i->ai_addr)->sin_addr :
							   (const void *)&((struct sockaddr_in6 *)(void *)i->ai_addr)->sin6_addr;

		if (json_array_size(to) < RULES_ADDRESSES && inet_ntop(i->ai_family, at, text, sizeof text))
			json_array_append_new(to, json_string(text));
	}
	freeaddrinfo(list);
}

static void add_out(json_t *list, const struct way *d, json_t *unresolved)
{
	static const char *const family[] = { "ip", "ip6" };
	json_t *at[2] = { json_array(), json_array() };
	char says[128];

	comment(says, d->name, d->purpose);
	resolve(d->name, at[0], at[1]);
	if (!json_array_size(at[0]) && !json_array_size(at[1]))
		json_array_append_new(unresolved, json_string(d->name));
	for (int f = 0; f < 2; f++) {
		if (json_array_size(at[f]))
			add_rule(list, "output", json_pack("[o,o,o]", match_payload(family[f], "daddr", json_pack("{s:O}", "set", at[f])),
				match_payload(d->udp ? "udp" : "tcp", "dport", json_integer(d->port)), verdict("accept")), says);
		json_decref(at[f]);
	}
}

json_t *rules_nft(const json_t *declaration, json_t *unresolved, struct why *w)
{
	struct ways v;
	json_t *list, *doc;
	char says[128];

	if (all_ways(declaration, &v, w))
		return NULL;
	list = json_array();
	json_array_append_new(list, json_pack("{s:{s:i}}", "metainfo", "json_schema_version", 1));
	/* Add, delete, add: one transaction that works whether the table is there or not. */
	for (int i = 0; i < 3; i++)
		json_array_append_new(list, json_pack("{s:{s:{s:s,s:s}}}", i == 1 ? "delete" : "add", "table", "family", "inet", "name", RULES_TABLE));
	add_chain(list, "input");
	add_chain(list, "output");
	add_chain(list, "forward");
	add_ground(list);
	for (size_t i = 0; i < v.nin; i++) {
		comment(says, v.in[i].name, v.in[i].purpose);
		add_rule(list, "input", json_pack("[o,o]", match_payload(v.in[i].udp ? "udp" : "tcp", "dport", json_integer(v.in[i].port)), verdict("accept")), says);
	}
	for (size_t i = 0; i < v.nout; i++)
		add_out(list, &v.out[i], unresolved);
	add_rule(list, "output", json_pack("[{s:n},o]", "counter", json_pack("{s:{s:s}}", "reject", "type", "icmpx")), "not declared");
	add_rule(list, "input", json_pack("[{s:n},o]", "counter", verdict("drop")), "not declared");
	doc = json_pack("{s:o}", "nftables", list);
	if (!doc)
		why_say(w, CTM_SDK_FAIL, "out of memory");
	return doc;
}

/* ---- MUD (RFC 8520, RFC 8519) ---- */

static json_t *ports(const struct way *d, const char *side, const char *initiated)
{
	json_t *o = json_pack("{s:{s:s,s:i}}", side, "operator", "eq", "port", d->port);

	if (initiated && !d->udp)
		json_object_set_new(o, "ietf-mud:direction-initiated", json_string(initiated));
	return o;
}

static json_t *host_match(const struct way *d, int family, bool from_device)
{
	struct in_addr a4;
	struct in6_addr a6;
	char net[300];
	bool is4 = inet_pton(AF_INET, d->name, &a4) == 1, is6 = inet_pton(AF_INET6, d->name, &a6) == 1;
	json_t *o = json_pack("{s:i}", "protocol", d->udp ? 17 : 6);

	snprintf(net, sizeof net, "%.253s/%d", d->name, is4 ? 32 : 128);
	if (is4 || is6)
		json_object_set_new(o, from_device ? (family ? "destination-ipv6-network" : "destination-ipv4-network") :
						     (family ? "source-ipv6-network" : "source-ipv4-network"), json_string(net));
	else
		json_object_set_new(o, from_device ? "ietf-acldns:dst-dnsname" : "ietf-acldns:src-dnsname", json_string(d->name));
	return o;
}

static void add_ace(json_t *list, const char *name, size_t i, json_t *matches)
{
	char text[64];

	snprintf(text, sizeof text, "%s-%zu", name, i);
	json_array_append_new(list, json_pack("{s:s,s:o,s:{s:s}}", "name", text, "matches", matches, "actions", "forwarding", "accept"));
}

/* One list: what the device may begin or answer in one direction, over one family of addresses. */
static json_t *acl(const struct ways *v, const char *name, int family, bool from_device)
{
	static const char *const ip[] = { "ipv4", "ipv6" };
	json_t *list = json_array();

	for (size_t i = 0; i < v->nout; i++) {
		struct in_addr a4;
		struct in6_addr a6;
		const struct way *d = &v->out[i];

		if ((family && inet_pton(AF_INET, d->name, &a4) == 1) || (!family && inet_pton(AF_INET6, d->name, &a6) == 1))
			continue;          /* an address of the other family */
		add_ace(list, "destination", i, json_pack("{s:o,s:o}", ip[family], host_match(d, family, from_device), d->udp ? "udp" : "tcp",
			ports(d, from_device ? "destination-port" : "source-port", "from-device")));
	}
	for (size_t i = 0; i < v->nin; i++)
		add_ace(list, "interface", i, json_pack("{s:{s:[n]},s:{s:i},s:o}", "ietf-mud:mud", "local-networks", ip[family], "protocol", v->in[i].udp ? 17 : 6,
			v->in[i].udp ? "udp" : "tcp", ports(&v->in[i], from_device ? "source-port" : "destination-port", "to-device")));
	return json_pack("{s:s,s:s,s:{s:o}}", "name", name, "type", family ? "ipv6-acl-type" : "ipv4-acl-type", "aces", "ace", list);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

json_t *rules_mud(const json_t *declaration, const char *last_update, struct why *w)
{
	static const char *const names[2][2] = { { "from-ipv4", "from-ipv6" }, { "to-ipv4", "to-ipv6" } };
	const char *model = text_of(declaration, "model"), *version = text_of(declaration, "version"), *maker = text_of(declaration, "maker");
	const char *vendor = text_of(json_object_get(declaration, "update"), "vendor");
	struct ways v;
	char url[512], info[61];
	json_t *mud, *policy[2], *lists = json_array(), *doc;

	if (all_ways(declaration, &v, w)) {
		json_decref(lists);
		return NULL;
	}
	snprintf(url, sizeof url, "https://%.200s/mud/%.60s-%.60s.json", vendor, model, version);
	snprintf(info, sizeof info, "%.40s %.18s", model, text_of(declaration, "component"));
	for (int d = 0; d < 2; d++) {
		policy[d] = json_pack("{s:{s:[{s:s},{s:s}]}}", "access-lists", "access-list", "name", names[d][0], "name", names[d][1]);
		for (int f = 0; f < 2; f++)
			json_array_append_new(lists, acl(&v, names[d][f], f, d == 0));
	}
	mud = json_pack("{s:i,s:s,s:s,s:i,s:b,s:s,s:s,s:s,s:s,s:o,s:o}", "mud-version", 1, "mud-url", url, "last-update", last_update, "cache-validity", 48, "is-supported", 1,
		"systeminfo", info, "mfg-name", maker, "model-name", model, "firmware-rev", version, "from-device-policy", policy[0], "to-device-policy", policy[1]);
	doc = json_pack("{s:o,s:{s:o}}", "ietf-mud:mud", mud, "ietf-access-control-list:acls", "acl", lists);
	if (!doc)
		why_say(w, CTM_SDK_FAIL, "out of memory, or a text of the declaration is not UTF-8");
	return doc;
}

/* ---- settings and data ---- */

static json_t *setting_schema(const json_t *s)
{
	static const struct { const char *type, *json, *min, *max; } types[] = {
		{ "bool", "boolean", NULL, NULL }, { "int", "integer", "minimum", "maximum" }, { "text", "string", "minLength", "maxLength" }, { "enum", "string", NULL, NULL },
	};
	const char *type = text_of(s, "type");

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		json_t *o;

		if (strcmp(types[i].type, type) != 0)
			continue;
		o = json_pack("{s:s}", "type", types[i].json);
		if (types[i].min && json_object_get(s, "min"))
			json_object_set(o, types[i].min, json_object_get(s, "min"));
		if (types[i].max && json_object_get(s, "max"))
			json_object_set(o, types[i].max, json_object_get(s, "max"));
		if (json_object_get(s, "values"))
			json_object_set(o, "enum", json_object_get(s, "values"));
		json_object_set(o, "default", json_object_get(s, "default"));
		json_object_set(o, "x-secure-default", json_object_get(s, "secure_default"));
		json_object_set_new(o, "x-privacy", json_string(text_of(s, "privacy")));
		return o;
	}
	return NULL;
}

json_t *rules_settings(const json_t *declaration, struct why *w)
{
	const json_t *list = json_object_get(declaration, "settings");
	json_t *props = json_object();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		json_t *schema = setting_schema(s);

		if (!schema || !*text_of(s, "name")) {
			json_decref(schema);
			json_decref(props);
			why_say(w, CTM_SDK_INPUT, "/settings/%zu of the declaration has no name or a type that is none of bool, int, text, enum", i);
			return NULL;
		}
		json_object_set_new(props, text_of(s, "name"), schema);
	}
	return json_pack("{s:s,s:s,s:s,s:o,s:b}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title", text_of(declaration, "model"), "type", "object",
		"properties", props, "additionalProperties", 0);
}

json_t *rules_data(const json_t *declaration, struct why *w)
{
	json_t *list = json_object_get(declaration, "data");

	if (!json_is_array(list)) {
		why_say(w, CTM_SDK_INPUT, "the declaration has no list \"data\"");
		return NULL;
	}
	return json_pack("{s:s,s:s,s:O}", "model", text_of(declaration, "model"), "version", text_of(declaration, "version"), "data", list);
}
