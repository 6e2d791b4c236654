/* SPDX-License-Identifier: Apache-2.0
 *
 * Replays a corpus through a fuzz target under any compiler, so that the corpus is an ordinary test. Each file is given
 * whole, cut short at a few places and with a few bytes flipped (fixed generator, same on every run).
 * With clang and -Dfuzz=true the same targets are linked with libFuzzer instead.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 20)

/* An exact-size heap copy, so that a sanitizer sees a read past the end. */
static void give(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		exit(3);
	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void vary(uint8_t *p, size_t n)
{
	uint32_t r = 2463534242u;
	give(p, n);
	for (size_t i = 1; i <= 16; i++)
		give(p, n * i / 17);
	for (int i = 0; n && i < 256; i++) {
		r ^= r << 13, r ^= r >> 17, r ^= r << 5;
		size_t at = r % n;
		uint8_t was = p[at];
		p[at] ^= (uint8_t)(1u << (r >> 29)) | (uint8_t)(i & 1 ? r >> 16 : 0);
		give(p, n);
		p[at] = was;
	}
}

int main(int argc, char **argv)
{
	static uint8_t in[INPUT_MAX];
	char path[1024];
	unsigned files = 0;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (!dir) {
		fprintf(stderr, "give the corpus directory\n");
		return 2;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		FILE *f;
		snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
		if (e->d_name[0] == '.' || !(f = fopen(path, "rb")))
			continue;
		size_t n = fread(in, 1, sizeof in, f);
		fclose(f);
		vary(in, n);
		files++;
	}
	closedir(dir);
	printf("%u corpus files, each whole, cut and changed\n", files);
	return files ? 0 : 1;   /* a target without a corpus tests nothing */
}
