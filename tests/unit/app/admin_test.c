/* SPDX-License-Identifier: Apache-2.0
 * The programs a newcomer meets first, run as programs: ctm, ctm init, user, edge nginx, fsck, doctor, config check, serve.
 * argv[1] is the directory of the built programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *bin;
static char dir[64], state[80];
static struct ctm_buf out, errout;

/* Run `ctm WORDS...`; "STATE" stands for the state directory. Returns the exit status. */
static int ctm(const char *words)
{
	static char text[1024], prog[4200];
	const char *argv[32] = { prog };
	size_t n = 1;
	int status = -1;
	struct ctm_err err = { 0 };
	snprintf(prog, sizeof prog, "%s/ctm", bin);
	snprintf(text, sizeof text, "%s", words);
	for (char *w = strtok(text, " "); w && n < 31; w = strtok(NULL, " "))
		argv[n++] = strcmp(w, "STATE") ? w : state;
	argv[n] = NULL;
	ctm_buf_reset(&out);
	ctm_buf_reset(&errout);
	static const char *const env[] = { "ASAN_OPTIONS=detect_leaks=1:exitcode=99", NULL };
	struct ctm_proc p = { .argv = argv, .env = env, .timeout_ms = 30000 };
	if (ctm_proc_run(&p, &out, &errout, &status, &err))
		fail_msg("%s: %s", words, err.msg);
	return status;
}

static void expect(const char *words, int status, const char *says)
{
	int got = ctm(words);
	if (got != status || (says && !strstr(ctm_buf_cstr(&out), says) && !strstr(ctm_buf_cstr(&errout), says)))
		fail_msg("ctm %s: wanted %d and \"%s\", got %d\n%s%s", words, status, says ? says : "", got, ctm_buf_cstr(&out), ctm_buf_cstr(&errout));
}

/* Ports nobody uses at this moment; written into the words of init. */
static char init_words[400], port_text[8];

static int free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof sa;
	CTM_AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	return ntohs(sa.sin_port);
}

static void choose_ports(void)
{
	int port = free_port();
	snprintf(port_text, sizeof port_text, "%d", port);
	snprintf(init_words, sizeof init_words, "init --state STATE --public-url http://localhost:%d --listen 127.0.0.1:%d --device-port %d --origin localhost/log", port, port, free_port());
}

/* "... @PORT ..." with the port in it. */
static const char *with_port(const char *text)
{
	static char buf[2][300];
	static unsigned turn;
	char *b = buf[turn++ & 1];
	const char *at = strstr(text, "@PORT");
	snprintf(b, sizeof buf[0], "%.*s%s%s", (int)(at - text), text, port_text, at + 5);
	return b;
}

static int up(void **s)
{
	strcpy(dir, "/tmp/ctm-admin-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(state, sizeof state, "%s/var", dir);
	choose_ports();
	out = CTM_BUF(1 << 20);
	errout = CTM_BUF(1 << 20);
	return 0;
}

static void init_quiet(void)
{
	char words[420];
	snprintf(words, sizeof words, "%s --quiet", init_words);
	expect(words, 0, NULL);
}

static int up_init(void **s)
{
	up(s);
	init_quiet();
	assert_int_equal(out.len, 0);
	return 0;
}

static int rm(const char *path, const struct stat *st, int flag, struct FTW *f) { return remove(path); }

static int down(void **s)
{
	nftw(dir, rm, 8, FTW_DEPTH | FTW_PHYS);
	ctm_buf_free(&out);
	ctm_buf_free(&errout);
	return 0;
}

static void read_state(const char *name, struct ctm_buf *b)
{
	char path[200];
	struct ctm_err err = { 0 };
	snprintf(path, sizeof path, "%s/%s", state, name);
	if (ctm_file_read(path, 1 << 20, b, &err))
		fail_msg("%s", err.msg);
}

static unsigned mode_of(const char *name)
{
	char path[200];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", state, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void unlink_state(const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", state, name);
	assert_int_equal(unlink(path), 0);
}

static void the_front_helps_and_names_the_nearest_verb(void **s)
{
	expect("help", 0, "make a state directory");
	expect("servee", 2, "the nearest is: ctm serve");
	expect("xylophone", 2, "ctm help lists them");
	expect("--version", 0, "ctm 0");
}

static void init_makes_a_private_directory_once(void **s)
{
	expect(init_words, 0, "One-time sign-in link");
	assert_int_equal(mode_of(""), 0700);
	assert_int_equal(mode_of("keys"), 0700);
	assert_int_equal(mode_of("keys/ca.pem"), 0600);
	assert_int_equal(mode_of("keys/cla.pem"), 0600);
	assert_int_equal(mode_of("keys/log.pem"), 0600);
	assert_int_equal(mode_of("keys/lab.pem"), 0600);
	assert_int_equal(mode_of("edge/server.key"), 0600);
	assert_int_equal(mode_of("ctm.db") & 077, 0);
	CTM_AUTO_BUF conf = CTM_BUF(1 << 20), trust = CTM_BUF(1 << 20), conf2 = CTM_BUF(1 << 20), trust2 = CTM_BUF(1 << 20);
	read_state("ctm.json", &conf);
	read_state("trust.json", &trust);
	expect("init --state STATE --public-url https://other.example", 0, "there already");
	read_state("ctm.json", &conf2);
	read_state("trust.json", &trust2);
	assert_string_equal(conf.p, conf2.p);
	assert_string_equal(trust.p, trust2.p);
	assert_null(strstr(conf.p, "PRIVATE"));
	assert_null(strstr(trust.p, "PRIVATE"));
}

static void an_interrupted_init_is_finished_by_the_next(void **s)
{
	CTM_AUTO_BUF key = CTM_BUF(4096), key2 = CTM_BUF(4096);
	read_state("keys/log.pem", &key);
	unlink_state("ctm.json");
	expect("fsck --state STATE", 3, "make one with: ctm init");
	expect(init_words, 0, "made      ctm.json");
	read_state("keys/log.pem", &key2);
	assert_string_equal(key.p, key2.p);
	expect("config check --state STATE", 0, "in order");
}

static void init_refuses_what_cannot_be_right(void **s)
{
	expect("init --state STATE --public-url ftp://x", 1, "public_url");
	expect("init --state STATE --public-url http://x/path", 1, "public_url");
	expect("init --state STATE --listen 8080", 1, "listen");
	expect("init --state STATE --device-port 99999", 1, "device_port");
	expect("init --state STATE --origin a+b", 1, "origin");
	expect("init --state STATE --bogus", 2, "--bogus");
	assert_int_not_equal(access(state, F_OK), 0);     /* nothing half made */
}

static void links_are_json_for_programs(void **s)
{
	CTM_AUTO_JSON *o = NULL;
	struct ctm_err err = { 0 };
	expect("user link --state STATE --operator --json", 0, NULL);
	assert_int_equal(ctm_json_parse(out.p, out.len, 1 << 16, "link", &o, &err), 0);
	assert_int_equal(strlen(ctm_json_gets(o, "token")), 43);
	assert_non_null(strstr(ctm_json_gets(o, "link"), with_port("http://localhost:@PORT/signin?token=")));
	expect("user link --state STATE nobody@example.org", 1, "nobody here");
	expect("user link --state STATE", 2, "say whose link");
	expect("user add --state STATE --name Ann --email ann@example.org --org platform --role platform.operator", 0, "added");
	expect("user add --state STATE --name Ann --email ann@example.org --org platform --role platform.operator", 1, NULL);
	expect("user add --state STATE --name Bob --email bob@example.org --org platform --role maker.owner", 1, NULL);
	expect("user link --state STATE bob@example.org", 1, "nobody here");   /* the refused role left no person behind */
	expect("user list --state STATE", 0, "ann@example.org");
	expect("user link --state STATE ann@example.org --org platform", 1, NULL);
	expect("user link --state STATE ann@example.org --org Platform", 0, "signin?token=");
	expect("user recover --state STATE --person ann@example.org", 0, "signin?token=");
	expect("user recover --state STATE --person nobody@example.org", 1, "nobody here");
	expect("user recover --state STATE", 2, "--person MAIL");
	expect("user frob --state STATE", 2, "none of add, link, list, recover");
}

static void the_edge_configuration_is_accepted_by_nginx(void **s)
{
	char edge[200];
	expect("edge nginx --state STATE", 0, "nginx.conf");
	CTM_AUTO_BUF conf = CTM_BUF(1 << 20);
	read_state("edge/nginx.conf", &conf);
	assert_non_null(strstr(conf.p, "ssl_verify_client optional_no_ca;"));
	assert_null(strstr(conf.p, "add_header Strict-Transport-Security"));
	assert_non_null(strstr(conf.p, "zone=device:8m rate=20r/s;"));
	expect("edge apache --state STATE", 2, "ctm edge nginx");
	if (access("/usr/sbin/nginx", X_OK)) {
		print_message("skip: nginx is not installed\n");
		skip();
	}
	snprintf(edge, sizeof edge, "%s/edge", state);
	const char *argv[] = { "/usr/sbin/nginx", "-p", edge, "-c", "nginx.conf", "-e", "stderr", "-t", NULL };
	struct ctm_proc p = { .argv = argv, .timeout_ms = 20000 };
	struct ctm_err err = { 0 };
	int status = -1;
	ctm_buf_reset(&out);
	ctm_buf_reset(&errout);
	assert_int_equal(ctm_proc_run(&p, &out, &errout, &status, &err), 0);
	if (status)
		fail_msg("%s", ctm_buf_cstr(&errout));
}

/* ctm.json with this member "edge". */
static void set_edge(const char *edge)
{
	CTM_AUTO_BUF text = CTM_BUF(1 << 20), is = CTM_BUF(1 << 20);
	CTM_AUTO_JSON *conf = NULL;
	ctm_json *value = NULL;
	char path[200];
	struct ctm_err err = { 0 };
	read_state("ctm.json", &text);
	assert_int_equal(ctm_json_parse(text.p, text.len, 1 << 20, "ctm.json", &conf, &err), 0);
	assert_int_equal(ctm_json_parse(edge, strlen(edge), 1 << 10, "edge", &value, &err), 0);
	assert_int_equal(ctm_json_set(conf, "edge", value), 0);
	assert_int_equal(ctm_json_pretty(conf, &is), 0);
	snprintf(path, sizeof path, "%s/ctm.json", state);
	assert_int_equal(ctm_file_write(path, is.p, is.len, 0600, &err), 0);
}

static void the_limits_of_the_edge_stand_in_the_configuration(void **s)
{
	CTM_AUTO_BUF conf = CTM_BUF(1 << 20);
	set_edge("{\"device_rate\": 7}");
	expect("edge nginx --state STATE", 0, "nginx.conf");
	read_state("edge/nginx.conf", &conf);
	assert_non_null(strstr(conf.p, "zone=device:8m rate=7r/s;"));
	assert_non_null(strstr(conf.p, "zone=device burst=14 "));
	assert_non_null(strstr(conf.p, "zone=public:4m rate=50r/s;"));
	set_edge("{\"device_rate\": 0}");
	expect("config check --state STATE", 1, "/edge/device_rate");
	set_edge("{\"rate\": 5}");
	expect("edge nginx --state STATE", 1, "rate");
}

static void fsck_finds_a_changed_file(void **s)
{
	char path[200];
	struct ctm_err err = { 0 };
	expect("fsck --state STATE", 0, "audit chain");
	assert_null(strstr(out.p, "DAMAGED"));
	snprintf(path, sizeof path, "%s/blobs/ab", state);
	assert_int_equal(ctm_mkdirs(path, 0700, &err), 0);
	snprintf(path, sizeof path, "%s/blobs/ab/cdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", state);
	assert_int_equal(ctm_file_write(path, "x", 1, 0600, &err), 0);
	expect("fsck --state STATE", 1, "DAMAGED");
	expect("fsck --state /nowhere", 3, "ctm init");
}

static void doctor_sees_a_key_others_can_read(void **s)
{
	char path[200];
	snprintf(path, sizeof path, "%s/keys/cla.pem", state);
	chmod(path, 0644);
	expect("doctor --state STATE", 1, "others can read the key");
}

static pid_t start_server(const char *log)
{
	char prog[4200];
	snprintf(prog, sizeof prog, "%s/ctm-serve", bin);
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);           /* a failing test leaves no server behind */
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execl(prog, prog, "--state", state, (char *)NULL);
	_exit(127);
}

static void serve_starts_refuses_a_second_and_stops_cleanly(void **s)
{
	char log[120], path[200];
	snprintf(log, sizeof log, "%s/serve.log", dir);
	snprintf(path, sizeof path, "%s/run/serve.pid", state);
	pid_t pid = start_server(log);
	assert_true(pid > 0);
	for (int i = 0; i < 500 && access(path, F_OK); i++)
		usleep(20000);
	assert_int_equal(access(path, F_OK), 0);
	expect("serve --state STATE", 3, "another ctm serves the state directory");
	assert_string_equal(strchr(ctm_buf_cstr(&errout), '\n'), "\n");      /* one line */
	char mine[80];
	snprintf(mine, sizeof mine, "%s", state);
	snprintf(state, sizeof state, "%s/other", dir);
	init_quiet();
	expect("serve --state STATE", 3, with_port("port @PORT is in use by another program"));
	assert_string_equal(strchr(ctm_buf_cstr(&errout), '\n'), "\n");
	snprintf(state, sizeof state, "%s", mine);
	expect("doctor --state STATE", ctm("doctor --state STATE"), with_port("port @PORT is served"));
	kill(pid, SIGTERM);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	CTM_AUTO_BUF b = CTM_BUF(65536);
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_file_read(log, 65536, &b, &err), 0);
	assert_non_null(strstr(b.p, with_port("ctm: serving http://localhost:@PORT on port ")));
}

static void serve_without_init_is_one_sentence(void **s)
{
	expect("serve --state STATE", 3, "is not a state directory yet; make one with: ctm init");
	expect("serve --state STATE --port x", 2, "--port");
}

int main(int argc, char **argv)
{
	bin = argc > 1 ? argv[1] : ".";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_front_helps_and_names_the_nearest_verb, up, down),
		cmocka_unit_test_setup_teardown(init_makes_a_private_directory_once, up, down),
		cmocka_unit_test_setup_teardown(an_interrupted_init_is_finished_by_the_next, up_init, down),
		cmocka_unit_test_setup_teardown(init_refuses_what_cannot_be_right, up, down),
		cmocka_unit_test_setup_teardown(links_are_json_for_programs, up_init, down),
		cmocka_unit_test_setup_teardown(the_edge_configuration_is_accepted_by_nginx, up_init, down),
		cmocka_unit_test_setup_teardown(the_limits_of_the_edge_stand_in_the_configuration, up_init, down),
		cmocka_unit_test_setup_teardown(fsck_finds_a_changed_file, up_init, down),
		cmocka_unit_test_setup_teardown(doctor_sees_a_key_others_can_read, up_init, down),
		cmocka_unit_test_setup_teardown(serve_starts_refuses_a_second_and_stops_cleanly, up_init, down),
		cmocka_unit_test_setup_teardown(serve_without_init_is_one_sentence, up, down),
	};
	return cmocka_run_group_tests_name("app admin", tests, NULL, NULL);
}
