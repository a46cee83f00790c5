// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser

/// The options of every command that works with the device.
struct DeviceOptions: ParsableArguments {
  @Flag(name: .customLong("no-load"), help: "Use the module only if it is loaded already.")
  var noLoad = false

  @Flag(help: "Wait while another process has the device.")
  var wait = false
}
