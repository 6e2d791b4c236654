/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from the declaration besides the agent's own behaviour: one file says which ways lead in and out, and from it come the
 * packet filter of the unit, the MUD file of the product (RFC 8520), the schema of its settings and its data catalogue. So none of them can
 * say something else.
 *
 * The packet filter is one table, "inet ctm_agent", put in place whole or not at all: closed both ways but for declared interfaces,
 * declared destinations, loopback, name look-ups, addresses (DHCP, router discovery) and answers. It is made in libnftables' JSON and given to
 * nft(8); names from the declaration stand in it only as comments. A destination's name is looked up when the table is made: a name
 * that has no address opens nothing, and is said.
 */
#ifndef CTM_PORT_LINUX_RULES_H
#define CTM_PORT_LINUX_RULES_H
#include <jansson.h>

struct why;

#define RULES_TABLE "ctm_agent"
#define RULES_WAYS 64                /* interfaces, and destinations, of a declaration */
#define RULES_ADDRESSES 16           /* addresses of one destination that are opened */

/* Each gives a new document, or NULL with the reason: the declaration is malformed at a named place, or there is no memory. */
json_t *rules_nft(const json_t *declaration, json_t *unresolved /* array: names without an address are appended */, struct why *w);
json_t *rules_mud(const json_t *declaration, const char *last_update /* RFC 3339 */, struct why *w);
json_t *rules_settings(const json_t *declaration, struct why *w);   /* JSON Schema (2020-12) of a configuration object */
json_t *rules_data(const json_t *declaration, struct why *w);       /* the data catalogue as it stands */

/* ctm-agent --show WHAT: print one of them ("nft", "mud", "settings", "data"); --firewall WORD: "up" puts the table in place, "down" takes
 * it away, "check" lets nft(8) read it without changing anything. The exit status. */
int rules_show(const char *declaration_path, const char *what);
int rules_firewall(const char *declaration_path, const char *word);

#endif
