// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proof that an address is the kernel symbol it is said to be.
 *
 * Before 7.1 no kernel exports the allocator's symbols, and none exports them all,
 * so their addresses come from outside as module parameters. A module that jumps to whatever it is
 * handed is a way to run any code in the kernel, under Secure Boot too, and an
 * address from the last boot is wrong in this one. So the kernel itself is
 * asked what is there, and only the exact name, at its first byte, in the
 * kernel proper will do.
 */
#include "cmatest.h"

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/string.h>

#define WHAT_TO_DO                                                             \
	"run \"cma-test configure\", then \"modprobe cmatest\" (not insmod); or " \
	"pass %s= with the address of %s in this boot's /proc/kallsyms"

/*
 * "name+0x0/0x<size>" and nothing after it: a symbol of a module, of BPF or of
 * ftrace is followed by " [owner]".
 */
static bool __init is_start_of(const char *found, const char *name)
{
	size_t length = str_has_prefix(found, name);

	if (!length)
		return false;
	found += length;
	length = str_has_prefix(found, "+0x0/0x");
	if (!length)
		return false;
	found += length;
	return *found && strspn(found, "0123456789abcdef") == strlen(found);
}

/**
 * cmatest_symbol_prove() - check that a symbol's address is right
 * @symbol: the symbol
 * @address: the address that was passed, 0 if none was
 *
 * Nothing is read from the address, so any value is safe here. The log says
 * what is wrong and what to do. It gets the name that the kernel has for the
 * address, not the address: the log has more readers than /proc/kallsyms. Only
 * a value that lies in no symbol, and so gives none away, is repeated.
 *
 * Return: 0 if the symbol is there, -EINVAL if not.
 */
int __init cmatest_symbol_prove(const struct cmatest_symbol *symbol, unsigned long address)
{
	char found[KSYM_SYMBOL_LEN];

	if (!address) {
		pr_err("%s: missing (or 0), needs the address of %s: " WHAT_TO_DO "\n",
		       symbol->param, symbol->name, symbol->param, symbol->name);
		return -EINVAL;
	}

	sprint_symbol(found, address);
	if (is_start_of(found, symbol->name))
		return 0;

	if (symbol->is_data && !IS_ENABLED(CONFIG_KALLSYMS_ALL))
		pr_err("%s: %s cannot be proved: this kernel names no variables (CONFIG_KALLSYMS_ALL is off) and only %s for that address; leave it out, as \"cma-test configure\" does\n",
		       symbol->param, symbol->name, found);
	else
		pr_err("%s: found %s%s, not %s+0x0: " WHAT_TO_DO "\n",
		       symbol->param,
		       strstarts(found, "0x") ? "no symbol at " : "", found,
		       symbol->name, symbol->param, symbol->name);
	return -EINVAL;
}
