# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian root with Ansible, and the place of our collection in it. Source it after lib.sh.
: "${cache:?source scripts/lib.sh first}"

# ansible_root: prints the folder of a Debian root with Ansible and what examines its files.
ansible_root() { root ansible --include=ansible-core,ansible-lint,openssh-client,python3-jmespath; }

# Where Debian's Ansible finds collections by itself.
# shellcheck disable=SC2034  # for the scripts
collection=/usr/share/ansible/collections/ansible_collections/cma_test/cma_test
