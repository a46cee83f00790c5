// SPDX-License-Identifier: GPL-2.0-or-later
/* The floor: reads a file as cat would and does nothing with it. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buffer[64 << 10];
	ssize_t count;
	int fd;

	if (argc != 2)
		return 64;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	while ((count = read(fd, buffer, sizeof(buffer))) > 0)
		;
	if (count < 0)
		perror(argv[1]);
	return count < 0;
}
