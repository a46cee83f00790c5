// SPDX-License-Identifier: GPL-2.0-or-later
#include "CLibkmod.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/* The ABI of <libkmod.h>: a test holds it against what libkmod-dev links to. */
#define SONAME "libkmod.so.2"

/*
 * Tells packaging tools what no DT_NEEDED does: dh_dlopenlibdeps makes a
 * dependency of it. The form is that of the ELF dlopen metadata specification
 * (uapi-group.org): type 0x407c0c0a, owner "FDO", a JSON array.
 */
__asm__(".pushsection .note.dlopen,\"a\",%note\n"
	".balign 4\n"
	".long 2f - 1f, 4f - 3f, 0x407c0c0a\n"
	"1: .asciz \"FDO\"\n"
	"2: .balign 4\n"
	"3: .asciz \"[{\\\"feature\\\":\\\"kmod\\\",\\\"description\\\":\\\"What modprobe passes to the module\\\","
	"\\\"priority\\\":\\\"required\\\",\\\"soname\\\":[\\\"" SONAME "\\\"]}]\"\n"
	"4: .balign 4\n"
	".popsection\n");

static struct cma_test_libkmod functions;
static const struct cma_test_libkmod *loaded;
static char failure[256];

static int find(void *library, const char *name, void **function)
{
	*function = dlsym(library, name);
	return *function ? 0 : -1;
}

static void load(void)
{
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	const char *reason;

	if (!library)
		goto failed;
#define FIND(name)                                                      \
	if (find(library, #name, (void **)&functions.name))             \
		goto failed;
	CMA_TEST_LIBKMOD_FUNCTIONS(FIND)
#undef FIND
	loaded = &functions;
	return;

failed:
	reason = dlerror();
	snprintf(failure, sizeof(failure), "%s", reason ? reason : "no reason given");
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

const struct cma_test_libkmod *cma_test_libkmod(void)
{
	pthread_once(&once, load);
	return loaded;
}

const char *cma_test_libkmod_error(void)
{
	return failure;
}
