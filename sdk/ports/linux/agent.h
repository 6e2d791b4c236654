/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent: a Linux program that is a device. One thread serves the administration interface (the only listener), a second
 * one enrols and reports to the maker's service. What both touch stands in struct agent and is used under `lock`; the
 * second thread holds it only to take a copy, never while it waits for the network.
 */
#ifndef CTM_PORT_LINUX_AGENT_H
#define CTM_PORT_LINUX_AGENT_H
#include "ctm/config.h"
#include "ctm/cred.h"
#include "ctm/identity.h"
#include "ctm/log.h"
#include "ctm/state.h"
#include "ctm/update.h"
#include "defects.h"
#include "http.h"
#include "keys.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>

#define AGENT_PATH 512
#define AGENT_PEM (16 << 10)
#define AGENT_TEXT 128

/* What the configuration file and the declaration say. */
struct agent_conf {
	char state_dir[AGENT_PATH], enrol_code_file[AGENT_PATH], initial_password_file[AGENT_PATH], declaration[AGENT_PATH];
	char listen[64];
	int port;
	char serial[CTM_SERIAL_MAX + 1];
	char host[AGENT_TEXT], connect[64], ca[AGENT_PATH];     /* platform; host "" when the unit stands alone */
	int platform_port;
	int report_interval_s;
	char factory_image[AGENT_PATH], factory_manifest[AGENT_PATH];
	char key[KEY_PLACE];                    /* where the private keys are (keys.h) */
	char idevid[AGENT_PATH];                /* certificate of the factory's identity; "" when the unit has a code */
	/* updates over the network; update_root "" when there are none */
	char update_root[AGENT_PATH], update_metadata[AGENT_PATH], update_targets[AGENT_PATH];
	uint8_t director_key[32];
	int update_interval_s;
	int renew_after_s;                      /* age at which the certificate is renewed; 0: two thirds of its life */
	/* declaration */
	char maker[AGENT_TEXT], model[CTM_MODEL_MAX + 1], component[CTM_MANIFEST_TEXT + 1];
	char vendor[AGENT_TEXT], class_name[AGENT_TEXT];
	uint8_t release_key[CTM_PUB_MAX];
	size_t release_keylen;
	int min_length, attempts, lock_s;
	struct ctm_setting setting[CTM_SETTINGS_MAX];
	struct {                                /* what the schema's pointers point at */
		char name[CTM_SETTING_NAME + 1], word[CTM_SETTING_VALUES][CTM_SETTING_NAME + 1];
		const char *words[CTM_SETTING_VALUES];
		char first[CTM_SETTING_TEXT + 1], secure[CTM_SETTING_TEXT + 1];
	} setting_text[CTM_SETTINGS_MAX];
	size_t nsettings;
};

struct agent {
	struct agent_conf conf;
	char **argv;
	int dir;                                /* state directory */
	struct ctm_port port;
	struct ctm_cred cred;
	struct ctm_config config;
	struct ctm_log log;
	struct ctm_update update;
	struct ctm_director director;           /* of updates over the network */
	struct ctm_timefloor time;
	char claimed[CTM_VERSION_MAX + 1];      /* what the unit says it runs */
	bool storage_trouble;                   /* something could not be stored since start */
	EVP_PKEY *key;                          /* device key, ES256 */
	unsigned key_number;                    /* which one: a renewed key has the next number */
	bool key_before;                        /* the one before may still be stored */
	int64_t cert_from_ms, cert_until_ms;    /* validity of the issued certificate */
	char cert[AGENT_PEM];                   /* PEM shown on the interface */
	char spki[72];                          /* "sha256:..." of the device key */
	bool enrolled;
	int64_t started_ms;                     /* mono */
	struct ctm_state state;                 /* metrics and judgement */
	struct ctm_queue queue;                 /* heartbeats on their way */
	pthread_mutex_t lock;
	int wake;                               /* eventfd: the certificate has changed */
	bool reboot;                            /* after the answers in flight */
};

/* One line about why the program cannot go on. */
struct why {
	char text[512];
};
int why_say(struct why *w, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* conf.c */
int agent_conf_load(const char *path, struct agent_conf *c, struct why *w);
/* Whole file of at most cap - 1 bytes, NUL-terminated; trailing line ends stay. */
int file_load(const char *path, char *buf, size_t cap, size_t *n, struct why *w);
json_t *agent_json_load(const char *path, struct why *w);        /* a whole file, an object; NULL */
json_t *json_strict(const char *p, size_t n, char *error, size_t cap);

/* store.c: the port over a directory */
int store_open(struct agent *a, struct why *w);
int store_write(int dir, const char *name, const void *p, size_t n);
int store_read(int dir, const char *name, void *p, size_t cap, size_t *n);
int file_destroy(int dir, const char *name);
int64_t mono_ms(void *ctx);

/* device_key.c */
int device_key_load(struct agent *a, struct why *w);
int device_cert_load(struct agent *a, struct why *w);           /* the issued certificate, or one made now */
/* A key on its way in: taken by device_cert_take, else given back with device_next_free. */
struct device_next {
	EVP_PKEY *key;
	unsigned number;
};
int device_next_make(struct agent *a, struct device_next *next, struct why *w);
void device_next_free(struct device_next *next);
/* From enrolment or renewal: checked against key, serial and CA, stored, then in force; of a new key only from here on. */
int device_cert_take(struct agent *a, struct device_next *next, const char *pem, size_t n, struct why *w);
int device_cert_pem(struct agent *a, char *out, size_t cap);    /* the issued one, NUL-terminated; NONE */
bool device_cert_old(struct agent *a);                          /* time to renew */
void device_key_settle(struct agent *a);                        /* the platform has heard the present key: the one before goes */
int device_csr(struct agent *a, EVP_PKEY *key, char *out, size_t cap);
int device_idevid(struct agent *a, EVP_PKEY **key, char *cert, size_t cap, struct why *w);   /* the factory's identity */
int device_idevid_request(struct agent *a, const char *path, struct why *w);   /* at the factory: its key, and the request for it */
int device_cert_self(struct agent *a, char *out, size_t cap);

int device_key_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES]);   /* the port's */

/* userdata.c */
int userdata_key(void *ctx, int make, uint8_t key[CTM_AEAD_KEY]);   /* the port's seal_key */
int userdata_put(struct agent *a, const char *name, const char *text, size_t n);
int userdata_get(struct agent *a, const char *name, char *out, size_t cap, size_t *n);
int userdata_del(struct agent *a, const char *name);
int userdata_names(struct agent *a, json_t *list);
int userdata_destroy(struct agent *a);
bool userdata_name_ok(const char *name);
#define USERDATA_TEXT 4096
#define USERDATA_FILES 64

/* api.c */
struct request {
	struct http_req head;
	const char *body;
	size_t n;
	const char *peer;                       /* address, for the log */
	uint8_t token[CTM_TOKEN_BYTES];
	bool has_token;
};
struct reply {
	int status;
	char *body;                             /* malloc'd JSON, or NULL */
	size_t n;
	int retry_after_s;
	bool close;
};
/* Largest body the request may bring; a refusal that needs no body comes through r->status. */
size_t api_body_max(struct agent *a, struct request *q, struct reply *r);
void api_handle(struct agent *a, struct request *q, struct reply *r);
void api_error(struct reply *r, int status, const char *code, const char *field, const char *message);
void api_json(struct reply *r, int status, json_t *owned);
int api_http_status(int sdk_code);
/* The request's body as an object with exactly these members; NULL after the refusal is written. */
json_t *api_body(struct request *q, struct reply *r, const char *const *members, size_t count);
/* Append to the security log; trouble is remembered and shown as degraded health. */
void agent_event(struct agent *a, const char *event, const char *detail);
json_t *agent_versions(const struct agent *a);
const char *agent_health(const struct agent *a);
const char *agent_serial(const struct agent *a, char buf[CTM_SERIAL_MAX + 1]);

/* api_data.c: settings, user data, update, reset */
void api_config_get(struct agent *a, struct request *q, struct reply *r);
void api_config_put(struct agent *a, struct request *q, struct reply *r);
void api_userdata(struct agent *a, struct request *q, struct reply *r);
void api_userdata_list(struct agent *a, struct request *q, struct reply *r);
void api_update(struct agent *a, struct request *q, struct reply *r);
void api_reset(struct agent *a, struct request *q, struct reply *r);
int agent_reset(struct agent *a);               /* also what an interrupted reset is finished with */
int agent_reset_pending(struct agent *a);

/* server.c: until SIGTERM (0) or a reboot (1) */
int server_run(struct agent *a, int listener, volatile sig_atomic_t *stop, struct why *w);
int server_listen(const struct agent *a, struct why *w);

/* client.c: one HTTPS exchange. 0 with *status and an answer of at most cap - 1 bytes (NUL-terminated), or negative. */
struct client_call {
	const char *method, *path, *type;       /* type: of the body, NULL without one */
	const char *basic;                      /* "USER:PASSWORD" in base64, or NULL */
	const char *body;
	size_t n;                               /* bytes of it */
	size_t got;                             /* set: bytes of the answer */
	EVP_PKEY *key;                          /* with cert: mutual TLS; NULL without */
	const char *cert;
};
int client_exchange(const struct agent_conf *c, struct client_call *call, int *status, char *answer, size_t cap, struct why *w);

/* est.c: enrolment and renewal by EST (RFC 7030). */
int est_enrol(struct agent *a, struct why *w);
int est_renew(struct agent *a, struct why *w);

/* aware.c: state awareness */
void aware_boot(struct agent *a, bool fell_back);    /* after the boot step: why it started, what waits to be told */
void aware_leaves(unsigned reason);                  /* enum ctm_reboot: the process is about to end, and that is meant */
void aware_event(struct agent *a, const char *event);   /* counts what is counted; under the lock */
int aware_beat(struct agent *a);                     /* one more heartbeat into the queue; under the lock. STORAGE */

/* fetch.c: look once for an update and take it; a->reboot is set when one was installed. 0, or why not (also in the log when one was
 * refused). */
int fetch_updates(struct agent *a, struct why *w);

/* report.c */
int report_start(struct agent *a, struct why *w);

#endif
