// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestHolders
internal import CMATestSystem

extension Holder {
  /// The holder as an object with stable keys; counts are in pages, and null is not known.
  var json: JSON {
    var block = JSON.null
    if let taker {
      block = [
        "blocks": JSON(blocks), "pages": JSON(blockPages), "pid": .int(Int64(taker.process)),
        "command": .string(taker.command), "ended": .bool(takerHasEnded),
        "time": JSON(since.map { utcTimestamp(Int(clamping: $0 / 1_000_000_000)) }),
        "taken_by": JSON(taker.function), "driver": JSON(taker.driver),
        "stack": .array(taker.stack.map { .string($0) }),
      ]
    }
    return [
      "kind": .string(kind.rawValue),
      "words": .string(words),
      "pinned": .bool(isPinned),
      "movable": canMove.map { .bool($0) } ?? .null,
      "pages": JSON(pages),
      "pieces": JSON(pieces),
      "processes": .array(processes.map(\.json)),
      "process_count": .int(Int64(processCount)),
      "path": JSON(file?.path),
      "mounted": file?.path == nil ? .null : .bool(file?.isMounted ?? false),
      "filesystem": JSON(file?.fileSystem),
      "device": JSON(file?.device),
      "block": block,
    ]
  }
}

extension Holder.Process {
  fileprivate var json: JSON {
    ["pid": .int(Int64(id)), "command": JSON(command), "cgroup": JSON(controlGroup)]
  }
}
