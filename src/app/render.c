/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-render KIND: JSON on standard input, PDF on standard output. A program of its own, so that the drawing libraries are
 * in no process that holds keys or listens. Shapes: src/document/render.h.
 */
#include "base/cli.h"
#include "document/render.h"
#include <cairo.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/* Cairo, Pango and fontconfig keep caches to the end of the process; giving them back asserts while a thread of Pango's still
 * holds a font, so the leak checker is told to leave this program alone. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static const struct ctm_cmd command = {
	.name = "render", .args = "KIND",
	.help = "Draw a paper: JSON on standard input, PDF on standard output. KIND is certificate, nameplates or report.",
	.min_args = 1, .max_args = 1,
};

static int read_all(struct ctm_buf *b, struct ctm_err *err)
{
	char chunk[65536];
	ssize_t n;
	while ((n = read(0, chunk, sizeof chunk)) > 0) {
		ctm_buf_add(b, chunk, (size_t)n);
		if (b->failed)
			return ctm_buf_err(b, "standard input", err);
	}
	return n < 0 ? ctm_fail(err, CTM_E_IO, "standard input", NULL, "standard input cannot be read") : 0;
}

static int run(const char *kind, struct ctm_err *err)
{
	CTM_AUTO_BUF in = CTM_BUF(CTM_RENDER_IN_MAX);
	CTM_AUTO_BUF out = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_JSON *v = NULL;
	int rc = read_all(&in, err);
	if (!rc)
		rc = ctm_json_parse(ctm_buf_cstr(&in), in.len, CTM_RENDER_IN_MAX, "standard input", &v, err);
	if (!rc)
		rc = ctm_render(kind, v, &out, err);
	if (!rc && (fwrite(out.p, 1, out.len, stdout) != out.len || fflush(stdout)))
		rc = ctm_fail(err, CTM_E_IO, "standard output", NULL, "standard output cannot be written");
	return rc;
}

int main(int argc, char **argv)
{
	const char *args[1];
	int n = 0;
	bool helped = false;
	struct ctm_err err = { 0 };
	int rc = ctm_cli_parse(&command, argc, argv, args, &n, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc)
		rc = run(args[0], &err);
	return rc ? ctm_cli_die(command.name, &err) : 0;
}
