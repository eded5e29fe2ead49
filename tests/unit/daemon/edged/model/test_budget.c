/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "daemon/edged/model/budget.h"
#include "daemon/system/cgroup.h"

static void what_is_configured_is_the_limit(void **state)
{
	(void)state;
	struct budget budget = {0};
	budget_configure(&budget, 1000);
	budget_add(&budget, 600);
	assert_int_equal(budget_excess(&budget, 400), 0);
	assert_int_equal(budget_excess(&budget, 401), 1);
	budget_add(&budget, 600);
	assert_int_equal(budget_excess(&budget, 0), 200);
	budget_take_away(&budget, 600);
	assert_int_equal(budget_excess(&budget, 0), 0);
	assert_true(budget_excess(&budget, UINT64_MAX) > SIZE_MAX / 2);
}

static void without_one_it_is_a_part_of_what_there_is(void **state)
{
	(void)state;
	struct budget budget = {0};
	struct sysinfo info;
	assert_int_equal(sysinfo(&info), 0);
	const uint64_t machine = (uint64_t)info.totalram * info.mem_unit;
	const uint64_t group = cgroup_memory_max();
	budget_configure(&budget, 0);
	const uint64_t due = group < machine ? group / 4 * 3 : machine / 2;
	assert_true(due > 0);
	assert_true(atomic_load(&budget.limit) == (due < SIZE_MAX ? due : SIZE_MAX));
}

static void without_a_budget_nothing_is_counted(void **state)
{
	(void)state;
	budget_add(NULL, 1);
	budget_take_away(NULL, 1);
	assert_int_equal(budget_excess(NULL, 1), 0);
}

static void a_file_of_the_group_is_below_its_folder(void **state)
{
	(void)state;
	char path[CGROUP_PATH_SIZE];
	cgroup_file("memory.pressure", path);
	assert_true(path[0] == 0 || strncmp(path, "/sys/fs/cgroup/", 15) == 0);
	assert_true(path[0] == 0 || strstr(path, "/memory.pressure"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_configured_is_the_limit),
		cmocka_unit_test(without_one_it_is_a_part_of_what_there_is),
		cmocka_unit_test(without_a_budget_nothing_is_counted),
		cmocka_unit_test(a_file_of_the_group_is_below_its_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
