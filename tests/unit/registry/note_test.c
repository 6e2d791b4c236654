/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed notes, verifier keys and checkpoints (C2SP signed-note, tlog-checkpoint), tile names (C2SP tlog-tiles). The first vector
 * is the example published with Go's note package.
 */
#include "registry/note.h"
#include "base/text.h"
#include "registry/merkle.h"
#include "registry/tile.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PETER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
static const char peter_note[] =
	"If you think cryptography is the answer to your problem,\n"
	"then you don't know what your problem is.\n"
	"\n"
	"\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static void signed_note_of_another_implementation_verifies(void **state)
{
	struct ctm_vkey k;
	size_t text, unknown;

	(void)state;
	assert_int_equal(ctm_vkey_parse(PETER, &k, NULL), 0);
	assert_string_equal(k.name, "PeterNeumann");
	assert_int_equal(ctm_note_verify(peter_note, strlen(peter_note), &k, 1, &text, &unknown, NULL), 0);
	assert_int_equal(unknown, 0);
	assert_int_equal(text, strstr(peter_note, "\n\n") + 1 - peter_note);
	CTM_AUTO_BUF b = CTM_BUF(512);
	ctm_vkey_write(k.name, k.pub, &b);
	assert_string_equal(ctm_buf_cstr(&b), PETER);
}

static void every_changed_byte_of_a_note_is_refused(void **state)
{
	struct ctm_vkey k;
	char t[512];
	size_t n = strlen(peter_note), text;

	(void)state;
	assert_int_equal(ctm_vkey_parse(PETER, &k, NULL), 0);
	for (size_t i = 0; i < n; i++)
		for (int x = 1; x < 256; x <<= 1) {
			memcpy(t, peter_note, n);
			t[i] = (char)(t[i] ^ x);
			assert_int_not_equal(ctm_note_verify(t, n, &k, 1, &text, NULL, NULL), 0);
		}
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(ctm_note_verify(peter_note, i, &k, 1, &text, NULL, NULL), 0);
}

static void malformed_verifier_keys_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "+", "PeterNeumann", "PeterNeumann+c74f20a3", "PeterNeumann+c74f20a3+", "PeterNeumann+c74f20a3+ARpc",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",      /* key id of another key */
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",      /* upper case */
		"PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW=",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+AhpcgQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",      /* another type */
	};
	struct ctm_vkey k;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (ctm_vkey_parse(bad[i], &k, NULL) == 0)
			fail_msg("accepted: %s", bad[i]);
}

static struct ctm_key *key;
static struct ctm_vkey vk;

static int make_key(void **state)
{
	uint8_t pub[65];
	CTM_AUTO_BUF b = CTM_BUF(512);

	(void)state;
	if (ctm_key_generate(CTM_ALG_ED25519, &key, NULL))
		return -1;
	ctm_key_raw(key, pub);
	ctm_vkey_write("harborlight.example/log", pub, &b);
	return ctm_vkey_parse(ctm_buf_cstr(&b), &vk, NULL);
}

static int drop_key(void **state)
{
	(void)state;
	ctm_key_freep(&key);
	return 0;
}

static void checkpoints_round_trip_and_unknown_signatures_are_counted(void **state)
{
	struct ctm_checkpoint cp = { .origin = "harborlight.example/log", .size = 1234567 }, got;
	CTM_AUTO_BUF text = CTM_BUF(1024), note = CTM_BUF(4096);
	size_t unknown;

	(void)state;
	memset(cp.root, 0x5a, sizeof cp.root);
	ctm_checkpoint_write(&cp, &text);
	assert_int_equal(ctm_note_sign(key, vk.name, text.p, text.len, &note, NULL), 0);
	assert_int_equal(ctm_checkpoint_verify(note.p, note.len, &vk, &got, &unknown, NULL), 0);
	assert_int_equal(got.size, cp.size);
	assert_memory_equal(got.root, cp.root, sizeof cp.root);
	/* a witness we do not know */
	ctm_buf_str(&note, strstr(peter_note, "\xe2\x80\x94"));
	assert_int_equal(ctm_checkpoint_verify(note.p, note.len, &vk, &got, &unknown, NULL), 0);
	assert_int_equal(unknown, 1);
	/* the same signature twice */
	CTM_AUTO_BUF twice = CTM_BUF(4096);
	assert_int_equal(ctm_note_sign(key, vk.name, text.p, text.len, &twice, NULL), 0);
	char *again = strdup(strstr(ctm_buf_cstr(&twice), "\xe2\x80\x94"));
	ctm_buf_str(&twice, again);
	free(again);
	assert_int_equal(ctm_checkpoint_verify(twice.p, twice.len, &vk, &got, NULL, NULL), CTM_E_SYNTAX);
	/* nobody we know */
	struct ctm_vkey other;
	assert_int_equal(ctm_vkey_parse(PETER, &other, NULL), 0);
	assert_int_equal(ctm_checkpoint_verify(note.p, note.len, &other, &got, NULL, NULL), CTM_E_VERIFY);
}

static void malformed_checkpoints_are_refused(void **state)
{
	static const char root[] = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=";
	static const char *const bad[] = {
		"o\n5\n%s", "\n5\n%s\n", "o\n05\n%s\n", "o\n-1\n%s\n", "o\n+5\n%s\n", "o\n5 \n%s\n", "o\n\n%s\n", "o\n9999999999999999999\n%s\n", "o\n5\n%s=\n",
		"o\n5\n \n%s\n", "o\n5\n%s\n\n", "o\n5\n%s\n\nx\n", "o o\n5\n%s\n", "o\r\n5\n%s\n", "%s\n",
	};
	struct ctm_checkpoint cp;
	char t[256];

	(void)state;
	snprintf(t, sizeof t, "o\n5\n%s\n", root);
	assert_int_equal(ctm_checkpoint_parse(t, strlen(t), &cp, NULL), 0);
	snprintf(t, sizeof t, "o\n5\n%s\nextension\n", root);
	assert_int_equal(ctm_checkpoint_parse(t, strlen(t), &cp, NULL), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t cut = (size_t)(strstr(bad[i], "%s") - bad[i]);
		snprintf(t, sizeof t, "%.*s%s%s", (int)cut, bad[i], root, bad[i] + cut + 2);
		if (ctm_checkpoint_parse(t, strlen(t), &cp, NULL) == 0)
			fail_msg("accepted: %s", t);
	}
}

static void notes_with_odd_texts_and_names_are_not_signed(void **state)
{
	CTM_AUTO_BUF b = CTM_BUF(1024);

	(void)state;
	assert_int_equal(ctm_note_sign(key, "n", "no newline", 10, &b, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_note_sign(key, "n", "tab\t\n", 5, &b, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_note_sign(key, "a b", "x\n", 2, &b, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_note_sign(key, "a+b", "x\n", 2, &b, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_note_sign(key, "a\xc2\xa0", "x\n", 2, &b, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_note_sign(key, "", "x\n", 2, &b, NULL), CTM_E_INPUT);
	assert_int_equal(b.len, 0);
}

static void tile_names_have_one_spelling(void **state)
{
	static const struct { struct ctm_tile t; const char *path; } good[] = {
		{ { 0, 0, 256 }, "tile/0/000" }, { { 0, 0, 1 }, "tile/0/000.p/1" }, { { 3, 999, 255 }, "tile/3/999.p/255" },
		{ { 0, 1234067, 256 }, "tile/0/x001/x234/067" }, { { CTM_TILE_ENTRIES, 1000, 7 }, "tile/entries/x001/000.p/7" },
	};
	static const char *const bad[] = {
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/8/000", "tile/-1/000", "tile/00/000", "tile/0/x000/000",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p", "tile/0/000.p/", "tile/0/../000", "/tile/0/000", "tile/0/000/", "tile/0/001/000",
		"tile/entries/x1/000", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/data/000", "tile/0/000.p/+1",
	};
	struct ctm_tile t;
	char p[CTM_TILE_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ctm_tile_path(&good[i].t, p);
		assert_string_equal(p, good[i].path);
		assert_int_equal(ctm_tile_parse(p, &t), 0);
		assert_true(t.level == good[i].t.level && t.n == good[i].t.n && t.width == good[i].t.width);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (ctm_tile_parse(bad[i], &t) == 0)
			fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_note_of_another_implementation_verifies),
		cmocka_unit_test(every_changed_byte_of_a_note_is_refused),
		cmocka_unit_test(malformed_verifier_keys_are_refused),
		cmocka_unit_test(checkpoints_round_trip_and_unknown_signatures_are_counted),
		cmocka_unit_test(malformed_checkpoints_are_refused),
		cmocka_unit_test(notes_with_odd_texts_and_names_are_not_signed),
		cmocka_unit_test(tile_names_have_one_spelling),
	};
	return cmocka_run_group_tests(tests, make_key, drop_key);
}
