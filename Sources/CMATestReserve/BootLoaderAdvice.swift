// SPDX-License-Identifier: GPL-2.0-or-later

/// The changes to make by hand for a boot loader that is not configured from here.
public struct BootLoaderAdvice: Equatable, Sendable {
  /// One change to one file.
  public struct Edit: Equatable, Sendable {
    /// A part of a file.
    public enum Place: Equatable, Sendable {
      /// The one line that the file has.
      case line
      /// The first of several lines, of which the loader reads no other.
      case firstLine
      /// The line that begins with this.
      case lineOf(String)
      /// A line of its own at the end, which the file does not have yet.
      case newLine
      /// A line of its own at the end of a label of an extlinux menu, which does not have it yet.
      case newLineBelow(String)
      /// The line that begins with the first, below a label of an extlinux menu.
      case lineBelow(String, label: String)
      /// A file that is not there yet.
      case newFile
      /// A file that is to go.
      case noFile
      /// The loader's own way to change the line, where its file is not known.
      case commandLine
    }

    public var place: Place
    /// Nil where it is not known.
    public var file: String?
    /// The whole line as it should be; nil where something is to go, or the line cannot be printed.
    public var line: String?
    /// False for a line that stays as it is, for it has nothing to take back.
    public var isNeeded = true

    public init(_ place: Place, in file: String? = nil, _ line: String?) {
      self.place = place
      self.file = file
      self.line = line
    }

    fileprivate var step: String {
      let file = file ?? ""
      return switch place {
      case .line: "make this the line in \(file):"
      case .firstLine: "make this the first line in \(file), and leave the others:"
      case .lineOf(let name): "make this the line with \(name) in \(file):"
      case .newLine: "add this line at the end of \(file):"
      case .newLineBelow(let label): "add this line below 'label \(label)' in \(file):"
      case .lineBelow(let name, let label):
        "make this the line with \(name) below 'label \(label)' in \(file):"
      case .newFile: "write this line to the new file \(file):"
      case .noFile: "remove the file \(file)"
      case .commandLine:
        line == nil
          ? "remove cma= from the loader's kernel command line"
          : "add this to the loader's kernel command line:"
      }
    }

    /// A stable word for scripts.
    var kind: String {
      switch place {
      case .line: "line"
      case .firstLine: "first-line"
      case .lineOf, .lineBelow: "line-with"
      case .newLine, .newLineBelow: "new-line"
      case .newFile: "new-file"
      case .noFile: "no-file"
      case .commandLine: "command-line"
      }
    }
  }

  /// The loader's name.
  public var loader: String
  public var edits: [Edit]
  /// The commands after which the changes take effect, where a reboot alone is not enough.
  public var commands: [String]
  /// What the user should know, a line each.
  public var notes: [String]

  public init(
    loader: String, edits: [Edit], commands: [String] = [], notes: [String] = []
  ) {
    self.loader = loader
    self.edits = edits
    self.commands = commands
    self.notes = notes
  }

  /// The file of the first edit.
  public var file: String? { edits.first?.file }
  /// The line of the first edit.
  public var line: String? { edits.first?.line }
  /// The commands as one; nil where there is none.
  public var command: String? { commands.isEmpty ? nil : commands.joined(separator: " && ") }

  /// The steps, one a line; a line to be copied is indented.
  public var steps: [String] {
    var steps: [String] = []
    for edit in edits {
      steps.append(edit.step)
      if let line = edit.line { steps.append("  \(line)") }
    }
    if !commands.isEmpty { steps.append("then run:") }
    for command in commands { steps.append("  \(command)") }
    return steps + ["and reboot"]
  }
}
