/* SPDX-License-Identifier: Apache-2.0
 *
 * One exchange on its way through the room, and the steps it takes: gate.c (who asks, may they), input.c (what do they
 * say), flow.c (which thread runs it), answer.c and page.c (what goes back). Errors are kept in call->err and answered once.
 */
#ifndef CTM_HTTP_CALL_H
#define CTM_HTTP_CALL_H
#include "http/app_impl.h"
#include "http/form.h"

enum ctm_body_kind { CTM_BODY_NONE, CTM_BODY_FORM, CTM_BODY_JSON, CTM_BODY_UPLOAD, CTM_BODY_TEXT };

struct ctm_call {
	struct ctm_app *app;
	struct ctm_req *req;
	struct ctm_match m;
	struct ctm_req_ident ident;
	struct ctm_who who;
	struct ctm_err err;
	int rc;
	bool html;                         /* errors and answers are pages */
	bool get;                          /* GET or HEAD */
	bool clear_cookie;                 /* the session of the cookie is over */
	const char *locale;
	bool set_locale;                   /* keep the language in a cookie */
	const char *notice;                /* message key from ?notice= */

	enum ctm_body_kind kind;
	size_t body_max;
	struct ctm_buf body;
	struct ctm_blobw *blobw;
	ctm_json *doc;                     /* parsed JSON body */
	struct ctm_pairs pairs;            /* query, then form or JSON members */
	const char *raw[CTM_ROUTE_FIELDS]; /* as sent, by field: to fill the form again */
	const char *csrf;                  /* token given with the request */

	struct ctm_db *read;               /* a plain read: the connection, in one snapshot from the look at who asks to the answer */
	struct ctm_cx cx;
	ctm_json *out;
	struct ctm_buf answer;             /* bytes of the reply */
	size_t held;                       /* counted in app->replies_held */
	struct ctm_wtask wtask;
	struct ctm_ptask ptask;
};

static inline const struct ctm_route *ctm_call_row(const struct ctm_call *c) { return c->m.row ? &c->m.row->row : NULL; }

/* gate.c */
CTM_CHECK int ctm_gate_host(struct ctm_call *c);        /* the request is meant for this service */
CTM_CHECK int ctm_gate_who(struct ctm_call *c);         /* fills ident and who */
void ctm_gate_leave(struct ctm_call *c);                /* gives back what ctm_gate_who kept for the use case; before the answer */
CTM_CHECK int ctm_gate_roles(struct ctm_call *c);
CTM_CHECK int ctm_gate_origin(struct ctm_call *c);      /* a browser sent this from our own page */
CTM_CHECK int ctm_gate_csrf(struct ctm_call *c);        /* after the body: the token of the session came along */
void ctm_gate_locale(struct ctm_call *c);
const char *ctm_cookie_name(const struct ctm_app *app);

/* input.c */
CTM_CHECK int ctm_input_body(struct ctm_call *c);       /* at the head: is a body of this type and size wanted? */
CTM_CHECK int ctm_input_fields(struct ctm_call *c);     /* after the body: fill cx.in, cx.body, cx.upload */

/* page.c */
ctm_json *ctm_page_new(const struct ctm_call *c, const struct ctm_err *failed);   /* the "@page" object; NULL without memory */

/* answer.c */
void ctm_answer_good(struct ctm_call *c);
void ctm_answer_error(struct ctm_call *c);
/* Run the use case of a row with the given inputs on db; *out is owned by the caller also after a failure. */
CTM_CHECK int ctm_run_use_case(struct ctm_call *c, struct ctm_cx *cx, struct ctm_db *db, ctm_json **out);

#endif
