/* SPDX-License-Identifier: Apache-2.0 */
#include "pg.h"
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void broken(const char *what)
{
	fprintf(stderr, "private PostgreSQL: %s\n", what);
	abort();
}

static bool find(char *bin, size_t cap)
{
	const char *own = getenv("CTM_PG_BIN");
	glob_t g = { 0 };
	if (own) {
		snprintf(bin, cap, "%s", own);
	} else if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &g) == 0 && g.gl_pathc > 0) {
		snprintf(bin, cap, "%s", g.gl_pathv[g.gl_pathc - 1]);
	}
	globfree(&g);
	char path[300];
	snprintf(path, sizeof path, "%s/initdb", bin);
	return bin[0] && access(path, X_OK) == 0;
}

static const struct passwd *user(void)
{
	const struct passwd *p = getpwnam("postgres");
	return p ? p : getpwnam("nobody");
}

static pid_t spawn(const struct pg_server *s, const char *program, const char *const argv[])
{
	char path[300], log[96];
	snprintf(path, sizeof path, "%s/%s", s->bin, program);
	snprintf(log, sizeof log, "%s/log", s->dir);
	const struct passwd *p = geteuid() == 0 ? user() : NULL;
	pid_t pid = fork();
	if (pid)
		return pid;
	if (p && (setgroups(0, NULL) || setgid(p->pw_gid) || setuid(p->pw_uid)))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (chdir(s->dir) == 0) {
		unsetenv("LD_PRELOAD");
		execv(path, (char *const *)argv);
	}
	_exit(127);
}

void pg_url(const struct pg_server *s, const char *database, char *out, size_t cap)
{
	snprintf(out, cap, "postgresql:host=%s user=ctm dbname=%s", s->dir, database);
}

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL); }

static void launch(struct pg_server *s)
{
	char info[128];
	const char *const argv[] = { "postgres", "-D", "data", "-k", s->dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
		"-c", "max_connections=40", NULL };
	s->pid = spawn(s, "postgres", argv);
	snprintf(info, sizeof info, "host=%s user=ctm dbname=postgres", s->dir);
	for (int i = 0; PQping(info) != PQPING_OK; i++) {
		if (i > 1000 || waitpid(s->pid, NULL, WNOHANG) != 0)
			broken("the server does not start");
		nap();
	}
}

bool pg_available(char *why, size_t cap)
{
	char bin[256] = "";
	bool there = find(bin, sizeof bin);
	if (!there)
		snprintf(why, cap, "PostgreSQL is not installed (package postgresql)");
	return there;
}

void pg_start(struct pg_server *s)
{
	memset(s, 0, sizeof *s);
	if (!find(s->bin, sizeof s->bin))
		broken("not installed");
	snprintf(s->dir, sizeof s->dir, "/tmp/ctm-pg-XXXXXX");
	if (!mkdtemp(s->dir))
		broken("no temporary directory");
	const struct passwd *p = geteuid() == 0 ? user() : NULL;
	if (p && chown(s->dir, p->pw_uid, p->pw_gid))
		broken("the directory cannot be given to an unprivileged user");
	const char *const argv[] = { "initdb", "-D", "data", "-U", "ctm", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", NULL };
	int st;
	pid_t pid = spawn(s, "initdb", argv);
	if (pid < 0 || waitpid(pid, &st, 0) != pid || !WIFEXITED(st) || WEXITSTATUS(st) != 0)
		broken("initdb failed");
	launch(s);
}

static int rm(const char *path, const struct stat *st, int flag, struct FTW *f) { return remove(path); }

static void halt(struct pg_server *s, int sig)
{
	if (s->pid > 0) {
		kill(s->pid, sig);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}

void pg_halt(struct pg_server *s) { halt(s, SIGINT); }
void pg_halt_now(struct pg_server *s) { halt(s, SIGQUIT); }

void pg_restart(struct pg_server *s)
{
	pg_halt(s);
	launch(s);
}

void pg_stop(struct pg_server *s)
{
	pg_halt(s);
	if (s->dir[0])
		nftw(s->dir, rm, 16, FTW_DEPTH | FTW_PHYS);
	s->dir[0] = 0;
}

/* The first column of the first row, 0 without; *row may be NULL. */
static long long first(const struct pg_server *s, const char *database, const char *sql, bool *row)
{
	char info[128];
	snprintf(info, sizeof info, "host=%s user=ctm dbname=%s", s->dir, database);
	PGconn *c = PQconnectdb(info);
	PGresult *r = PQexec(c, sql);
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		broken(PQerrorMessage(c));
	bool any = PQntuples(r) > 0;
	long long v = any ? atoll(PQgetvalue(r, 0, 0)) : 0;
	if (row)
		*row = any;
	PQclear(r);
	PQfinish(c);
	return v;
}

bool pg_ask(const struct pg_server *s, const char *database, const char *sql)
{
	bool row;
	(void)first(s, database, sql, &row);
	return row;
}

bool pg_kill_waiting(const struct pg_server *s, const char *event)
{
	char sql[128];
	snprintf(sql, sizeof sql, "SELECT pid FROM pg_stat_activity WHERE wait_event = '%s'", event);
	pid_t pid = (pid_t)first(s, "postgres", sql, NULL);
	return pid > 1 && kill(pid, SIGKILL) == 0;
}

void pg_do(const struct pg_server *s, const char *database, const char *sql) { (void)pg_ask(s, database, sql); }
