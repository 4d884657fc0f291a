import Foundation

/// What standard error can show.
public enum Terminal {
  public static func writeError(_ text: String) {
    // Nobody is left to be told of an error here.
    try? FileSystem.write(Data(text.utf8), to: STDERR_FILENO, "standard error")
  }

  /// Whether bars may be drawn: a terminal that can move its cursor.
  public static var isInteractive: Bool {
    isatty(STDERR_FILENO) != 0 && !["dumb", ""].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")
  }

  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  static var height: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }

  /// `text` in at most `columns`, its middle left out where it is longer; control characters are made visible.
  static func fit(_ text: String, columns: Int) -> String {
    let clean = String(text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 } ? "?" : $0 })
    guard displayWidth(clean) > columns else { return clean }
    guard columns > 1 else { return "" }
    var head = "", tail = ""
    var room = columns - 1
    var left = Substring(clean)
    while room > 0, !left.isEmpty {
      let fromTail = displayWidth(tail) <= displayWidth(head)
      guard let character = fromTail ? left.last : left.first else { break }
      let width = displayWidth(String(character))
      guard width <= room else { break }
      room -= width
      if fromTail {
        tail = String(left.removeLast()) + tail
      } else {
        head.append(left.removeFirst())
      }
    }
    return head + "…" + tail
  }

  /// Columns that a text takes: East Asian wide characters and emoji take two.
  static func displayWidth(_ text: String) -> Int {
    text.reduce(0) { sum, character in
      let wide = character.unicodeScalars.contains {
        switch $0.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
          0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
          true
        default: false
        }
      }
      return sum + (wide ? 2 : 1)
    }
  }
}
