// SPDX-License-Identifier: GPL-2.0-or-later
/* What libkmod alone costs: reads what modprobe would pass to each module, and does nothing with it. */
#include <libkmod.h>
#include <stddef.h>

int main(void)
{
	struct kmod_ctx *context = kmod_new(NULL, NULL);
	struct kmod_config_iter *options;

	if (!context)
		return 1;
	options = kmod_config_get_options(context);
	if (!options)
		return 1;
	while (kmod_config_iter_next(options))
		;
	kmod_config_iter_free_iter(options);
	kmod_unref(context);
	return 0;
}
