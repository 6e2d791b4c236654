/* SPDX-License-Identifier: Apache-2.0
 *
 * The seam between use cases and everything that carries them (HTTP, jobs, command line).
 *
 * A use case is `int verb(struct ctm_cx *cx, ctm_json *out)`: it reads the validated input fields of its route row from
 * cx, works on cx->db, and fills `out` (an empty object on entry). It returns 0 or a negative error with cx->err filled.
 * It never sees HTTP. Both faces call it: the JSON face sends `out`; the HTML face hands `out` to the row's template.
 *
 * Rows with CTM_R_WRITE run on the one writer thread inside a savepoint of the current group commit; the answer leaves
 * only after the group is durable. A database server may refuse or lose a group of which nothing was kept; the use case is then run
 * again, so it changes nothing but the database, its own answer and cx. Rows without run on a worker with a read-only connection. Slow work (parsing,
 * rendering, signing, other processes) is never done in a use case: `prepare` runs before on a worker without a
 * transaction (body already in the blob store), jobs run after.
 */
#ifndef CTM_HTTP_APP_H
#define CTM_HTTP_APP_H
#include "base/arena.h"
#include "base/json.h"
#include "event/event.h"
#include "crypto/x509.h"
#include "store/blob.h"
#include "store/store.h"

struct ctm_catalogue;                 /* case/catalogue.h */
struct ctm_app;                       /* one per process: config, blobs, catalogue, writer, jobs */

/* Roles as bits; names are those of docs/model. ANON stands for "nobody signed in" and is in every PUBLIC row. DEVICE
 * is an enrolled unit, IDEVID one that shows only the identity its factory gave it (IEEE 802.1AR). */
#define CTM_ROLES(X) \
	X(ANON, "anonymous") X(MAKER_OWNER, "maker.owner") X(MAKER_ENGINEER, "maker.engineer") X(MAKER_VIEWER, "maker.viewer") \
	X(MAKER_SIGNER, "maker.signer") X(LAB_MANAGER, "lab.manager") X(LAB_TESTER, "lab.tester") X(LAB_REVIEWER, "lab.reviewer") \
	X(CLA_INTAKE, "cla.intake") X(CLA_REVIEWER, "cla.reviewer") X(CLA_DECIDER, "cla.decider") \
	X(CLA_SURVEILLANCE, "cla.surveillance") X(CLA_APPEALS, "cla.appeals") X(OPERATOR, "platform.operator") X(DEVICE, "device") \
	X(IDEVID, "device.idevid")
enum ctm_role_no {
#define X(n, s) CTM_ROLE_NO_##n,
	CTM_ROLES(X)
#undef X
	CTM_ROLE_COUNT
};
enum ctm_role {
#define X(n, s) CTM_ROLE_##n = 1 << CTM_ROLE_NO_##n,
	CTM_ROLES(X)
#undef X
};
#define CTM_ANY_MAKER (CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER | CTM_ROLE_MAKER_VIEWER | CTM_ROLE_MAKER_SIGNER)
#define CTM_ANY_LAB (CTM_ROLE_LAB_MANAGER | CTM_ROLE_LAB_TESTER | CTM_ROLE_LAB_REVIEWER)
#define CTM_ANY_CLA (CTM_ROLE_CLA_INTAKE | CTM_ROLE_CLA_REVIEWER | CTM_ROLE_CLA_DECIDER | CTM_ROLE_CLA_SURVEILLANCE | CTM_ROLE_CLA_APPEALS)
#define CTM_SIGNED_IN (CTM_ANY_MAKER | CTM_ANY_LAB | CTM_ANY_CLA | CTM_ROLE_OPERATOR)
#define CTM_PUBLIC (CTM_ROLE_ANON | CTM_SIGNED_IN)
const char *ctm_role_name(unsigned bit);
unsigned ctm_role_bit(const char *name);          /* 0 for unknown */

/* Who is asking. Filled by the authorise function given at start (identity/session.c, device/door.c). */
struct ctm_who {
	unsigned roles;                    /* ANON alone when nobody is signed in */
	char person_id[40], person_name[96];
	char org_id[40], org_kind[24], org_name[96];
	char session_id[40];
	char csrf[48];                     /* token that HTML posts of this session must carry */
	char zone[48];                     /* time zone the person reads in (IANA name); "": the platform's */
	char device_id[40];                /* on the device port */
	char device_serial[65];            /* likewise: its printed serial */
	char device_spki[72];              /* key of the certificate shown there, and until when that is good */
	int64_t device_until_ms;
	bool device_next_key;              /* it is the renewed key, used for the first time */
};

/* What a request shows about its sender, before anybody believes it. The seam fills it; `authorise` turns it into a
 * struct ctm_who. At most one credential is set: a request that carries a bearer token has its cookie ignored. The
 * certificate facts come from the edge's headers and are filled only on the unix socket behind the edge; on the TCP
 * listener those headers are dropped unread. */
struct ctm_req_ident {
	bool edge;                         /* came over run/device.sock */
	const char *bearer;                /* token of "Authorization: Bearer", or NULL */
	const char *cookie;                /* session token of the cookie, or NULL */
	bool cert_verified;                /* the edge verified a client certificate under the device CA, and it parses */
	const char *cert_pem;              /* the certificate shown; unless cert_verified its issuer is not the device CA and nothing of it may be
	                                    * believed but that the peer holds its key */
	struct ctm_cert_who cert;          /* of cert_pem where cert_verified, else empty */
};
/* 0 with out filled (roles ANON alone when no credential came); AUTH or EXPIRED for a credential that is not good. */
typedef int ctm_authorise_fn(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err);

struct ctm_upload { char digest[72]; int64_t size; char media_type[64]; };

/* Context of one use case. Everything borrowed; lives until the answer is sent. */
struct ctm_cx {
	struct ctm_app *app;
	struct ctm_db *db;                 /* read-only connection, or the writer's inside a savepoint */
	struct ctm_arena *arena;
	struct ctm_err *err;               /* never NULL */
	const struct ctm_who *who;
	const struct ctm_route *route;
	int64_t now_ms;
	const char *locale;                /* "en" or "es" */
	const char *remote;                /* peer address text */
	const char *agent;                 /* User-Agent as sent, NULL without; hostile text */
	const char **in;                   /* one validated value per field of the row, NULL when absent */
	const ctm_json *body;              /* parsed JSON body, where the row has CTM_R_JSON */
	const char *text;                  /* the body as it was sent, NUL-terminated, where the row has CTM_R_TEXT or CTM_R_JSON */
	size_t text_len;
	const char *basic;                 /* "USER:PASSWORD" of an Authorization: Basic header, where the row has CTM_R_BASIC; NULL without */
	struct ctm_upload upload;          /* where the row has CTM_R_UPLOAD */
	ctm_json *prepared;                /* what `prepare` left for the use case, or NULL */
	const char *location;              /* set by a use case: address to go to after a successful HTML post */
	const char *set_session;           /* set by sign-in: session token for the cookie; "" clears it */
	struct ctm_raw { const char *type; const void *p; size_t n; const char *filename; const char *cache; } raw; /* set by a use case: send these bytes instead of `out` (arena memory) */
};

/* Value of a field of the row by name: NULL when absent. Asking for a field the row does not have aborts (a bug). */
const char *ctm_in(struct ctm_cx *cx, const char *name);
int64_t ctm_in_int(struct ctm_cx *cx, const char *name, int64_t otherwise);

enum ctm_vtype {          /* validators of input fields; messages say what is wanted */
	CTM_V_TEXT,           /* printable UTF-8, max bytes */
	CTM_V_LINE,           /* as TEXT without newline */
	CTM_V_UUID, CTM_V_PUBID, CTM_V_DIGEST, CTM_V_INT /* 0..max */, CTM_V_DATE /* YYYY-MM-DD */, CTM_V_BOOL /* given as "1" or "0" */, CTM_V_SLUG /* [a-z0-9-]{1,max} */,
	CTM_V_SECRET,         /* as LINE; never shown again, in no message */
	CTM_V_SERIAL /* [A-Za-z0-9._-]{1,max} */, CTM_V_TOKEN /* base64url */, CTM_V_EMAIL, CTM_V_PATH /* safe relative path; as the last {name} of a route it takes the rest of the path */, CTM_V_ENUM /* `values`, comma separated */
};
#define CTM_F_REQUIRED 1
struct ctm_field {
	const char *name; enum ctm_vtype type; unsigned max; unsigned flags; const char *help; const char *values;
};

#define CTM_R_WRITE   1    /* writer thread */
#define CTM_R_HTML    2    /* answers with `view`; POST redirects to cx->location */
#define CTM_R_JSON    4    /* body is a JSON document (at most body_max bytes) parsed before the use case */
#define CTM_R_UPLOAD  8    /* body is stored as a blob before the use case */
#define CTM_R_DEVICE 16    /* only on the unix socket behind the edge, identity from the client certificate */
#define CTM_R_STATIC 32    /* anonymous and cacheable */
#define CTM_R_METRICS 128  /* may also be read with the token of the file metrics.token */
#define CTM_R_UNAUDITED 256 /* a write that leaves no audit line; the row says why. All other writes that change something without one are not kept */
#define CTM_R_TEXT   512   /* body is text of the media type `accepts`, at most body_max bytes */
#define CTM_R_BASIC  1024   /* a name and password by HTTP Basic (RFC 7617) are let through to the use case */
#define CTM_R_SCOPED 64    /* honest marker for the generated test: {id} belongs to an organisation */

struct ctm_route {
	const char *method;                /* "GET" "POST" "PUT" */
	const char *path;                  /* "/api/v1/products/{id}"; {names} are input fields too */
	unsigned roles;                    /* who may; a row without roles does not compile (see CTM_ROUTE) */
	unsigned flags;
	const struct ctm_field *in;        /* ends with a NULL name; may be NULL */
	int (*prepare)(struct ctm_cx *cx); /* may be NULL */
	int (*use_case)(struct ctm_cx *cx, ctm_json *out);
	const char *view;                  /* HTML rows: template name "room/page" (src/room/pages/page.html); resolved at start, unknown stops the start */
	const char *reply;                 /* name of the reply schema in catalogue/replies.json, or "" */
	const char *help;                  /* one sentence, shown in the API description and permission page */
	size_t body_max;                   /* 0 means 64 KiB */
	const char *accepts;               /* media type of a CTM_R_TEXT body */
};
/* Rows are written with this macro: the roles argument is checked at compile time to be non-zero. */
#define CTM_ROUTE(method_, path_, roles_, flags_, ...) \
	{ .method = method_, .path = path_, .roles = (roles_) + 0 * sizeof(char[(roles_) ? 1 : -1]), .flags = flags_, __VA_ARGS__ }

struct ctm_routes { const struct ctm_route *rows; size_t n; };     /* one per room, listed in app/rooms.c */

/* Jobs: run on the job thread, outside any transaction. They read with jx->db (read-only) and change through
 * ctm_write(), which runs fn on the writer thread in a savepoint and returns after the group is durable. fn may be run again
 * when nothing was kept (http/writer.h): what it leaves in arg is of the last run. */
struct ctm_jx { struct ctm_app *app; struct ctm_db *db; struct ctm_arena *arena; struct ctm_err *err; int64_t now_ms; const char *key; const ctm_json *payload; };
/* max_attempts of work that must be finished however long what it needs is away: tried again every hour at last. */
#define CTM_NEVER_GIVE_UP 0x7fffffff
struct ctm_job_kind { const char *kind; int (*run)(struct ctm_jx *jx); int max_attempts; const char *help; };
struct ctm_jobs { const struct ctm_job_kind *rows; size_t n; };
struct ctm_listeners { const struct ctm_listener *rows; size_t n; };
CTM_CHECK int ctm_write(struct ctm_app *app, int (*fn)(struct ctm_cx *cx, void *arg), void *arg, struct ctm_err *err);

/* What the process knows. */
const struct ctm_catalogue *ctm_app_catalogue(const struct ctm_app *app);
struct ctm_blobs *ctm_app_blobs(const struct ctm_app *app);
const char *ctm_app_dir(const struct ctm_app *app, const char *sub, char *out, size_t cap);   /* path inside the state directory */
const char *ctm_app_public_url(const struct ctm_app *app);                                   /* no trailing slash */
const ctm_json *ctm_app_conf_json(const struct ctm_app *app, const char *key);               /* any member of ctm.json, NULL when absent */
const char *ctm_app_message(const struct ctm_app *app, const char *key, const char *locale); /* message of the catalogue; the key where the process has none */
const char *ctm_app_conf(const struct ctm_app *app, const char *key, const char *otherwise); /* string member of ctm.json */

#endif
