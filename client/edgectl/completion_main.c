/* SPDX-License-Identifier: Apache-2.0 */
/* Build-time program: prints one shell's completion. Runs on the build machine, also in a cross
 * build. */
#include "client/edgectl/completion.h"

int main(int argc, char **argv)
{
	return argc == 2 && completion_print(stdout, argv[1]) == 0 ? 0 : 2;
}
