/* SPDX-License-Identifier: Apache-2.0 */
/* Build-time program: prints one shell's completion, on the building machine also when edgectl is
 * built for another one. */
#include "client/completion.h"

int main(int argc, char **argv)
{
	return argc == 2 && completion_print(stdout, argv[1]) == 0 ? 0 : 2;
}
