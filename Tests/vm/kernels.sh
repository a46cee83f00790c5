# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stock kernels from a repository, without what takes most of the time: source it after checks.sh.

lean=/etc/dpkg/dpkg.cfg.d/cma-test-lean

# lean_kernels: has dpkg leave out the modules for hardware that no machine here has, as
# scripts/vm/root does: depmod, which runs whenever a module comes or goes, reads them all. Only the
# unpacking differs; the packages are the archive's.
lean_kernels() {
  local folder
  for folder in sound net drivers/{accel,ata,bluetooth,gpu,hid,hwmon,i2c,iio,infiniband,input,leds} \
    drivers/{media,mfd,misc,mmc,mtd,net,nvme,pinctrl,platform,power,scsi,staging,thermal,usb,video} \
    fs/{btrfs,ceph,gfs2,jfs,nfs,nfsd,ocfs2,smb,ubifs,xfs}; do
    printf 'path-exclude=/usr/lib/modules/*/kernel/%s/*\n' "$folder"
    printf 'path-exclude=/lib/modules/*/kernel/%s/*\n' "$folder"
  done >$lean
}
