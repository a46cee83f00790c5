/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libkmod, loaded when it is first called.
 *
 * It brings libcrypto: linked, the two would take most of what the boot helper
 * takes, at each boot, though mostly there is nothing to ask it. The types are
 * those of libkmod's own header.
 */
#ifndef CMA_TEST_CLIBKMOD_H
#define CMA_TEST_CLIBKMOD_H

#include <libkmod.h>

#define CMA_TEST_LIBKMOD_FUNCTIONS(function)                    \
	function(kmod_new)                                      \
	function(kmod_unref)                                    \
	function(kmod_config_get_blacklists)                    \
	function(kmod_config_get_options)                       \
	function(kmod_config_iter_free_iter)                    \
	function(kmod_config_iter_get_key)                      \
	function(kmod_config_iter_get_value)                    \
	function(kmod_config_iter_next)                         \
	function(kmod_list_next)                                \
	function(kmod_module_dependency_symbol_get_bind)        \
	function(kmod_module_dependency_symbol_get_crc)         \
	function(kmod_module_dependency_symbol_get_symbol)      \
	function(kmod_module_dependency_symbols_free_list)      \
	function(kmod_module_get_dependency_symbols)            \
	function(kmod_module_get_info)                          \
	function(kmod_module_get_initstate)                     \
	function(kmod_module_get_install_commands)              \
	function(kmod_module_get_module)                        \
	function(kmod_module_get_name)                          \
	function(kmod_module_get_options)                       \
	function(kmod_module_get_path)                          \
	function(kmod_module_get_remove_commands)               \
	function(kmod_module_get_softdeps)                      \
	function(kmod_module_info_free_list)                    \
	function(kmod_module_info_get_key)                      \
	function(kmod_module_info_get_value)                    \
	function(kmod_module_new_from_lookup)                   \
	function(kmod_module_new_from_name)                     \
	function(kmod_module_probe_insert_module)               \
	function(kmod_module_remove_module)                     \
	function(kmod_module_unref)                             \
	function(kmod_module_unref_list)                        \
	function(kmod_set_log_priority)

/* Its functions, by their names. */
struct cma_test_libkmod {
#define CMA_TEST_LIBKMOD_MEMBER(name) __typeof__(name) *_Nonnull name;
	CMA_TEST_LIBKMOD_FUNCTIONS(CMA_TEST_LIBKMOD_MEMBER)
#undef CMA_TEST_LIBKMOD_MEMBER
};

/* The same at each call, from any thread; NULL where it cannot be loaded. */
const struct cma_test_libkmod *_Nullable cma_test_libkmod(void);

/* After a NULL: why, in dlerror(3)'s words. */
const char *_Nonnull cma_test_libkmod_error(void);

#endif
