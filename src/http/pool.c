/* SPDX-License-Identifier: Apache-2.0 */
#include "http/pool.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 8

struct ctm_pool {
	pthread_t thread[THREADS_MAX];
	unsigned threads, waiting, queue_max;
	pthread_mutex_t mu;
	pthread_cond_t wake;
	struct ctm_ptask *head, **tail;
	bool stop;
};

static void *loop(void *arg)
{
	struct ctm_pool *p = arg;
	pthread_mutex_lock(&p->mu);
	for (;;) {
		while (!p->head && !p->stop)
			pthread_cond_wait(&p->wake, &p->mu);
		struct ctm_ptask *t = p->head;
		if (!t)
			break;
		if (!(p->head = t->next))
			p->tail = &p->head;
		p->waiting--;
		pthread_mutex_unlock(&p->mu);
		t->run(t->arg);
		pthread_mutex_lock(&p->mu);
	}
	pthread_mutex_unlock(&p->mu);
	return NULL;
}

int ctm_pool_start(unsigned threads, unsigned queue_max, struct ctm_pool **out, struct ctm_err *err)
{
	struct ctm_pool *p = calloc(1, sizeof *p);
	if (!p)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the workers");
	p->tail = &p->head;
	p->queue_max = queue_max;
	pthread_mutex_init(&p->mu, NULL);
	pthread_cond_init(&p->wake, NULL);
	while (p->threads < threads && p->threads < THREADS_MAX && !pthread_create(&p->thread[p->threads], NULL, loop, p))
		p->threads++;
	if (!p->threads) {
		ctm_pool_free(p);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no thread for the workers");
	}
	*out = p;
	return 0;
}

int ctm_pool_push(struct ctm_pool *p, struct ctm_ptask *t)
{
	int rc = CTM_E_BUSY;
	t->next = NULL;
	pthread_mutex_lock(&p->mu);
	if (!p->stop && p->waiting < p->queue_max) {
		*p->tail = t;
		p->tail = &t->next;
		p->waiting++;
		rc = 0;
		pthread_cond_signal(&p->wake);
	}
	pthread_mutex_unlock(&p->mu);
	return rc;
}

void ctm_pool_stop(struct ctm_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->mu);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->mu);
	for (unsigned i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
}

void ctm_pool_free(struct ctm_pool *p)
{
	if (!p)
		return;
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->mu);
	free(p);
}
